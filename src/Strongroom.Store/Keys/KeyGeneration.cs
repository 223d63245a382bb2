using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Store.Log;

namespace Strongroom.Store.Keys;

/// <summary>One blob of <c>keys/</c>: the ring sealed under a key of its own, and that key wrapped by each key that opens the vault.</summary>
internal sealed record KeyGeneration(uint Number, IReadOnlyList<KeyWrap> Wraps, byte[] SealedRing)
{
    private const int Version = 1;

    public static KeyGeneration Seal(uint number, IReadOnlyList<KeyWrap> wraps, KeyRing ring, byte[] ringKey)
    {
        var plain = ring.Format();
        var sealedRing = AesWrap.Seal(ringKey, plain, AssociatedData(ring.VaultId, number, wraps));
        CryptographicOperations.ZeroMemory(plain);
        return new(number, wraps, sealedRing);
    }

    /// <summary>Opens the ring; its tag vouches for the number and for every wrap beside it.</summary>
    /// <exception cref="StoreException">Corrupt: something in the blob was changed, or it is another vault's.</exception>
    public KeyRing Open(Guid vaultId, byte[] ringKey)
    {
        byte[] plain;
        try
        {
            plain = AesWrap.Open(ringKey, SealedRing, AssociatedData(vaultId, Number, Wraps));
        }
        catch (CryptographicException failure)
        {
            throw new StoreException(
                StoreErrorKind.Corrupt, $"Generation {Number} of the vault's keys was changed, or is another vault's: restore the folder keys/ from a copy of the vault.", failure);
        }

        var ring = KeyRing.Parse(plain);
        CryptographicOperations.ZeroMemory(plain);
        return ring.VaultId == vaultId ? ring : throw StoreException.Corrupt("The key ring belongs to another vault");
    }

    public byte[] Format()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteNumber("generation", Number);
            json.WriteStartArray("wraps");
            foreach (var wrap in Wraps)
            {
                json.WriteStartObject();
                json.WriteString("kind", wrap.Kind);
                json.WriteString("kekId", wrap.KeyId);
                json.WriteBase64String("wrapped", wrap.Wrapped);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteBase64String("ring", SealedRing);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <exception cref="StoreException">Corrupt, or Unsupported.</exception>
    public static KeyGeneration Parse(string name, ReadOnlySpan<byte> content)
    {
        try
        {
            var json = JsonNode.Parse(content)!.AsObject();
            if ((int)json["version"]! != Version)
                throw new StoreException(StoreErrorKind.Unsupported, $"'{name}' is of another version. Use the Strongroom that wrote it, or a newer one.");
            var wraps = json["wraps"]!.AsArray()
                .Select(wrap => new KeyWrap(Text(wrap!["kind"]), Text(wrap["kekId"]), Convert.FromBase64String(Text(wrap["wrapped"]))))
                .ToArray();
            return new((uint)json["generation"]!, wraps, Convert.FromBase64String(Text(json["ring"])));
        }
        catch (Exception failure) when (failure is JsonException or FormatException or InvalidOperationException or ArgumentException or NullReferenceException or OverflowException)
        {
            throw new StoreException(StoreErrorKind.Corrupt, $"'{name}', the vault's keys, is damaged: restore the folder keys/ from a copy of the vault.", failure);
        }
    }

    private static string Text(JsonNode? node) => (string?)node ?? throw new FormatException("A field is missing.");

    private static byte[] AssociatedData(Guid vaultId, uint number, IReadOnlyList<KeyWrap> wraps)
    {
        var data = new PayloadWriter().Raw("strongroom key ring v1"u8).Guid(vaultId).UInt32(number).UInt32((uint)wraps.Count);
        foreach (var wrap in wraps)
            data.Text(wrap.Kind).Text(wrap.KeyId).Bytes(wrap.Wrapped);
        return data.ToArray();
    }
}
