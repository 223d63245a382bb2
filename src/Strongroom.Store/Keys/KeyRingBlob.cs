using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Strongroom.Store.Keys;

/// <summary>The key ring as it lies in <c>keys/</c>: wrapped by the key encryption key.</summary>
internal static class KeyRingBlob
{
    private const string Prefix = "keys/";
    private const int GreatestLengthBytes = 1 << 20;

    public static async Task WriteAsync(IBlobBackend backend, KeyRing ring, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        var plain = ring.Format();
        var wrapped = await kek.WrapAsync(plain, cancellationToken);
        CryptographicOperations.ZeroMemory(plain);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteNumber("epoch", ring.CurrentEpoch);
            json.WriteString("kekId", kek.KeyId);
            json.WriteBase64String("wrapped", wrapped);
            json.WriteEndObject();
        }

        if (!await backend.PutIfAbsentAsync(NameOf(ring.CurrentEpoch, ring.VaultId), stream.ToArray(), cancellationToken))
            throw new StoreException(StoreErrorKind.Conflict, "Another writer is changing the vault's keys. Try again.");
    }

    /// <summary>Reads the ring of the greatest epoch.</summary>
    /// <exception cref="StoreException">WrongKey when <paramref name="kek"/> did not wrap it; Corrupt when it is missing or damaged.</exception>
    public static async Task<KeyRing> ReadAsync(IBlobBackend backend, Guid vaultId, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        BlobInfo? newest = null;
        var suffix = "-" + vaultId.ToString("N");
        await foreach (var blob in backend.ListAsync(Prefix, cancellationToken))
        {
            if (blob.Name.EndsWith(suffix, StringComparison.Ordinal))
                newest = blob;
        }

        if (newest is not { LengthBytes: <= GreatestLengthBytes } found)
            throw StoreException.Corrupt("The vault's key ring (keys/) is missing: restore that folder from a copy of the vault");
        var content = new byte[found.LengthBytes];
        _ = await backend.ReadAsync(found.Name, 0, content, cancellationToken);
        var (kekId, wrapped) = Parse(content);
        try
        {
            var plain = await kek.UnwrapAsync(wrapped, cancellationToken);
            var ring = KeyRing.Parse(plain);
            CryptographicOperations.ZeroMemory(plain);
            return ring.VaultId == vaultId ? ring : throw StoreException.Corrupt("The key ring belongs to another vault");
        }
        catch (CryptographicException failure)
        {
            throw new StoreException(
                StoreErrorKind.WrongKey,
                $"The vault's keys are wrapped by '{kekId}'; the key given is '{kek.KeyId}' and does not open them. Give the key that the vault was made with.",
                failure);
        }
    }

    private static string NameOf(uint epoch, Guid vaultId) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{epoch:D8}-{vaultId:N}");

    private static (string KekId, byte[] Wrapped) Parse(byte[] content)
    {
        try
        {
            var json = JsonNode.Parse(content)!.AsObject();
            return ((string)json["kekId"]!, Convert.FromBase64String((string)json["wrapped"]!));
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or ArgumentNullException)
        {
            throw StoreException.Corrupt("The vault's key ring (keys/) is damaged: restore that folder from a copy of the vault");
        }
    }
}
