using System.Buffers.Binary;
using System.Security.Cryptography;
using Strongroom.Store.Keys;

namespace Strongroom.Store.Streams;

/// <summary>The vault's own table of the rolling hash: whoever sees the sizes of chunks must not be able to guess content from them.</summary>
internal static class GearTable
{
    private const int Entries = 256;

    public static ulong[] Derive(KeyRing ring)
    {
        var bytes = HKDF.DeriveKey(HashAlgorithmName.SHA256, ring.IdKey, Entries * sizeof(ulong), [], "strongroom gear v1"u8.ToArray());
        var table = new ulong[Entries];
        for (var i = 0; i < Entries; i++)
            table[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong)));
        return table;
    }
}
