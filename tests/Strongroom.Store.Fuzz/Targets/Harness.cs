using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Fuzz.Targets;

/// <summary>A vault's keys that everybody knows, and what can be sealed with them.</summary>
internal static class Harness
{
    public const uint PackSeq = 7;
    private static readonly byte[] Salt = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];

    public static KeyRing Ring { get; } = new(
        new Guid("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"), Bytes(1), Bytes(2), Bytes(3), Bytes(4), ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Bytes(5)));

    public static byte[] PackHeader { get; } = PackFormat.WriteHeader(PackContent.Data, PackSeq, 1, Salt, Ring.VaultId);

    public static PackKey PackKey { get; } = PackFormat.ReadHeader(PackHeader, PackContent.Data, PackSeq, Ring);

    public static AesGcm PackCipher { get; } = new(PackKey.Key, PackFormat.TagLengthBytes);

    public static byte[] Bytes(int seed, int count = 32)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static Slot SlotOf(int seed) =>
        new(SlotKind.Whole, ChunkCodec.Parts, 100_000, PackSeq, 3, 0, 64, new ChunkId(Bytes(seed)));

    /// <summary>Seals one piece of a frame as a writer of any intention would.</summary>
    public static byte[] SealPiece(uint part, uint ordinal, int rawLengthBytes, ChunkCodec codec, ReadOnlySpan<byte> payload)
    {
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLengthBytes];
        Span<byte> aad = stackalloc byte[PackFormat.FrameAadLengthBytes];
        PackFormat.WriteNonce(nonce, ordinal);
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, part);
        PackFormat.WriteFrameAad(aad, Ring.VaultId, PackSeq, ordinal, rawLengthBytes, codec);
        var piece = new byte[payload.Length + PackFormat.TagLengthBytes];
        PackCipher.Encrypt(nonce, payload, piece.AsSpan(0, payload.Length), piece.AsSpan(payload.Length), aad);
        return piece;
    }

    public static byte[] Concat(params ReadOnlySpan<byte[]> parts)
    {
        var length = 0;
        foreach (var part in parts)
            length += part.Length;
        var whole = new byte[length];
        foreach (var part in parts)
        {
            part.CopyTo(whole, whole.Length - length);
            length -= part.Length;
        }

        return whole;
    }

    public static byte[] LittleEndian(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    public static MemoryBackend Backend(string name, byte[] content)
    {
        var backend = new MemoryBackend();
        _ = backend.PutIfAbsentAsync(name, content, CancellationToken.None).AsTask();
        return backend;
    }
}
