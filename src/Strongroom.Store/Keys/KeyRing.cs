using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>All keys of one vault (<c>docs/store-format.md</c> section 3). Thread-safe: data keys may join it, nothing else ever changes.</summary>
internal sealed class KeyRing
{
    private const uint Magic = 0x524B5253; // "SRKR" as little-endian
    private const int KeyLengthBytes = 32;
    private const int FixedLengthBytes = 152;
    private const int DataKeyLengthBytes = 36;
    private const int GreatestDataKeys = 10_000;
    private volatile ImmutableSortedDictionary<uint, byte[]> dataKeys;

    public KeyRing(Guid vaultId, byte[] idKey, byte[] nodeKey, byte[] logKey, byte[] sealKey, ImmutableSortedDictionary<uint, byte[]> dataKeys)
    {
        VaultId = vaultId;
        IdKey = idKey;
        NodeKey = nodeKey;
        LogKey = logKey;
        SealKey = sealKey;
        this.dataKeys = dataKeys;
    }

    /// <summary>Reads the ring of the vault anew; called when something was sealed under an epoch that this ring does not know.</summary>
    public Func<CancellationToken, Task>? Reload { get; set; }

    public Guid VaultId { get; }

    public byte[] IdKey { get; }

    public byte[] NodeKey { get; }

    public byte[] LogKey { get; }

    public byte[] SealKey { get; }

    /// <summary>The epoch of new packs. Another may follow at any time: who writes takes it once.</summary>
    public uint CurrentEpoch => dataKeys.Keys.Last();

    public static KeyRing Generate(Guid vaultId) => new(
        vaultId,
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        RandomNumberGenerator.GetBytes(KeyLengthBytes),
        ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, RandomNumberGenerator.GetBytes(KeyLengthBytes)));

    /// <exception cref="StoreException">Corrupt, Unsupported.</exception>
    public static KeyRing Parse(ReadOnlySpan<byte> source)
    {
        if (source.Length < FixedLengthBytes + DataKeyLengthBytes || BinaryPrimitives.ReadUInt32LittleEndian(source) != Magic)
            throw StoreException.Corrupt("The key ring is not one");
        if (BinaryPrimitives.ReadUInt16LittleEndian(source[4..]) != 1)
            throw new StoreException(StoreErrorKind.Unsupported, "The key ring is of a newer version. Use a newer Strongroom.");
        var count = BinaryPrimitives.ReadUInt16LittleEndian(source[6..]);
        if (count is 0 or > GreatestDataKeys || source.Length != FixedLengthBytes + (count * DataKeyLengthBytes))
            throw StoreException.Corrupt("The key ring has a wrong length");
        var dataKeys = ImmutableSortedDictionary.CreateBuilder<uint, byte[]>();
        for (var rest = source[FixedLengthBytes..]; rest.Length > 0; rest = rest[DataKeyLengthBytes..])
        {
            if (!dataKeys.TryAdd(BinaryPrimitives.ReadUInt32LittleEndian(rest), rest.Slice(4, KeyLengthBytes).ToArray()))
                throw StoreException.Corrupt("The key ring has two data keys of one epoch");
        }

        return new(
            new Guid(source.Slice(8, 16), bigEndian: true),
            source.Slice(24, KeyLengthBytes).ToArray(),
            source.Slice(56, KeyLengthBytes).ToArray(),
            source.Slice(88, KeyLengthBytes).ToArray(),
            source.Slice(120, KeyLengthBytes).ToArray(),
            dataKeys.ToImmutable());
    }

    public byte[] Format()
    {
        var keys = dataKeys;
        var target = new byte[FixedLengthBytes + (keys.Count * DataKeyLengthBytes)];
        BinaryPrimitives.WriteUInt32LittleEndian(target, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(target.AsSpan(6), (ushort)keys.Count);
        VaultId.TryWriteBytes(target.AsSpan(8), bigEndian: true, out _);
        IdKey.CopyTo(target, 24);
        NodeKey.CopyTo(target, 56);
        LogKey.CopyTo(target, 88);
        SealKey.CopyTo(target, 120);
        var offset = FixedLengthBytes;
        foreach (var (epoch, key) in keys)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(target.AsSpan(offset), epoch);
            key.CopyTo(target, offset + 4);
            offset += DataKeyLengthBytes;
        }

        return target;
    }

    /// <summary>The same ring with a fresh data key of the next epoch.</summary>
    /// <param name="greatestUsed">The greatest epoch that the vault has had: none is ever given a second key, even where the ring that knew it was lost.</param>
    public KeyRing WithNextEpoch(uint greatestUsed)
    {
        var keys = dataKeys;
        return keys.Count < GreatestDataKeys
            ? new(VaultId, IdKey, NodeKey, LogKey, SealKey, keys.Add(checked(Math.Max(keys.Keys.Last(), greatestUsed) + 1), RandomNumberGenerator.GetBytes(KeyLengthBytes)))
            : throw new StoreException(StoreErrorKind.InvalidRequest, $"The vault has {keys.Count} data keys; no more fit into its key ring. Copy the vault into a new one.");
    }

    /// <summary>Takes over the data keys that the vault's ring has gained.</summary>
    /// <exception cref="StoreException">Corrupt: <paramref name="newer"/> is not a later state of this ring.</exception>
    public void Adopt(KeyRing newer)
    {
        var isLater = newer.VaultId == VaultId && newer.IdKey.AsSpan().SequenceEqual(IdKey) && newer.NodeKey.AsSpan().SequenceEqual(NodeKey)
            && newer.LogKey.AsSpan().SequenceEqual(LogKey) && newer.SealKey.AsSpan().SequenceEqual(SealKey)
            && newer.Includes(this);
        if (!isLater)
            throw StoreException.Corrupt("The vault's key ring (keys/) was replaced by one that lacks keys in use: restore that folder from a copy of the vault");
        dataKeys = newer.dataKeys;
    }

    /// <summary>True when it has every data key of the other.</summary>
    public bool Includes(KeyRing other) =>
        other.dataKeys.All(known => dataKeys.TryGetValue(known.Key, out var key) && key.AsSpan().SequenceEqual(known.Value));

    /// <summary>Makes sure that <see cref="DeriveDataKey"/> knows an epoch that another process may have begun.</summary>
    public async ValueTask RequireEpochAsync(uint epoch, CancellationToken cancellationToken)
    {
        if (!dataKeys.ContainsKey(epoch) && Reload is { } reload)
            await reload(cancellationToken);
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
