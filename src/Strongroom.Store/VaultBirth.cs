using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Store.Images;

namespace Strongroom.Store;

/// <summary><c>vault.json</c>: its creation is the creation of the vault (<c>docs/store-format.md</c> section 2).</summary>
internal static class VaultBirth
{
    public const string Name = "vault.json";
    private const string Format = "strongroom-vault";
    private const int Version = 1;
    private const int GreatestLengthBytes = 64 * 1024;

    public static async Task<bool> TryWriteAsync(IBlobBackend backend, Guid vaultId, DateTimeOffset createdAt, CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteNumber("version", Version);
            json.WriteString("vaultId", vaultId);
            json.WriteNumber("slotBytes", ImageGeometry.SlotLengthBytes);
            json.WriteNumber("subSlotBytes", ImageGeometry.SubSlotLengthBytes);
            json.WriteNumber("fanOut", ImageGeometry.FanOut);
            json.WriteString("createdAt", createdAt.ToString("O", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }

        return await backend.PutIfAbsentAsync(Name, stream.ToArray(), cancellationToken);
    }

    /// <exception cref="StoreException">NotFound, Corrupt or Unsupported.</exception>
    public static async Task<Guid> ReadAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        var length = await backend.GetLengthAsync(Name, cancellationToken)
            ?? throw new StoreException(StoreErrorKind.NotFound, "There is no vault here (vault.json is missing). Check the folder, or create a vault.");
        var content = new byte[Math.Min(length, GreatestLengthBytes)];
        _ = await backend.ReadAsync(Name, 0, content, cancellationToken);
        try
        {
            var json = JsonNode.Parse(content)!.AsObject();
            var isKnown = (string?)json["format"] == Format && (int)json["version"]! <= Version
                && (int)json["slotBytes"]! == ImageGeometry.SlotLengthBytes
                && (int)json["subSlotBytes"]! == ImageGeometry.SubSlotLengthBytes
                && (int)json["fanOut"]! == ImageGeometry.FanOut;
            return isKnown
                ? Guid.Parse((string)json["vaultId"]!)
                : throw new StoreException(StoreErrorKind.Unsupported, "The vault's format is not one that this program knows. Use a newer Strongroom.");
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or ArgumentException or NullReferenceException)
        {
            throw StoreException.Corrupt("vault.json is damaged: restore that file from a copy of the vault");
        }
    }
}
