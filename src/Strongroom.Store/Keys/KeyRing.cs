using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>All keys of one vault (<c>docs/store-format.md</c> section 3). Immutable and thread-safe.</summary>
internal sealed class KeyRing
{
    private const uint Magic = 0x524B5253; // "SRKR" as little-endian
    private const int KeyLengthBytes = 32;
    private const int FixedLengthBytes = 152;
    private const int DataKeyLengthBytes = 36;
    private readonly SortedDictionary<uint, byte[]> dataKeys;

    public KeyRing(Guid vaultId, byte[] idKey, byte[] nodeKey, byte[] logKey, byte[] sealKey, SortedDictionary<uint, byte[]> dataKeys)
    {
        VaultId = vaultId;
        IdKey = idKey;
        NodeKey = nodeKey;
        LogKey = logKey;
        SealKey = sealKey;
        this.dataKeys = dataKeys;
        CurrentEpoch = dataKeys.Keys.Last();
    }

    public Guid VaultId { get; }

    public byte[] IdKey { get; }

    public byte[] NodeKey { get; }

    public byte[] LogKey { get; }

    public byte[] SealKey { get; }

    public uint CurrentEpoch { get; }

    public static KeyRing Generate(Guid vaultId) => new(
        vaultId,
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        new() { [1] = RandomNumberGenerator.GetBytes(KeyLengthBytes) });

    public static KeyRing Parse(ReadOnlySpan<byte> source)
    {
        if (source.Length < FixedLengthBytes + DataKeyLengthBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
            throw StoreException.Corrupt("The key ring is not one");
        if (BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) != 1)
            throw new StoreException(StoreErrorKind.Unsupported, "The key ring is of a newer version. Use a newer Strongroom.");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(source[6..]);
        if (source.Length != FixedLengthBytes + (count * DataKeyLengthBytes))
            throw StoreException.Corrupt("The key ring has a wrong length");
        var dataKeys = new SortedDictionary<uint, byte[]>();
        for (var rest = source[FixedLengthBytes..]; rest.Length > 0; rest = rest[DataKeyLengthBytes..])
            dataKeys[BinaryPrimitives.ReadUInt32LittleEndian(rest)] = rest.Slice(4, KeyLengthBytes).ToArray();
        return new(
            new Guid(source.Slice(8, 16), bigEndian: true),
            source.Slice(24, KeyLengthBytes).ToArray(),
            source.Slice(56, KeyLengthBytes).ToArray(),
            source.Slice(88, KeyLengthBytes).ToArray(),
            source.Slice(120, KeyLengthBytes).ToArray(),
            dataKeys);
    }

    public byte[] Format()
    {
        var target = new byte[FixedLengthBytes + (dataKeys.Count * DataKeyLengthBytes)];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(6), (ushort)dataKeys.Count);
        VaultId.TryWriteBytes(target.AsSpan(8), bigEndian: true, out _);
        IdKey.CopyTo(target, 24);
        NodeKey.CopyTo(target, 56);
        LogKey.CopyTo(target, 88);
        SealKey.CopyTo(target, 120);
        var offset = FixedLengthBytes;
        foreach (var (epoch, key) in dataKeys)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(offset), epoch);
            key.CopyTo(target, offset + 4);
            offset += DataKeyLengthBytes;
        }

        return target;
    }

    public bool HasDataKey(uint epoch) => dataKeys.ContainsKey(epoch);

    /// <summary>A key for one blob, from the data key of <paramref name="epoch"/> and the blob's own salt (RFC 5869).</summary>
    public byte[] DeriveDataKey(uint epoch, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> info)
    {
        if (!dataKeys.TryGetValue(epoch, out var dataKey))
            throw StoreException.Corrupt($"The key ring has no data key of epoch {epoch}");
        var key = new byte[KeyLengthBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, dataKey, key, salt, info);
        return key;
    }
}
