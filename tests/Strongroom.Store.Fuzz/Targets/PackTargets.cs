using System.Buffers.Binary;
using System.IO.Hashing;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Fuzz.Targets;

internal sealed class PackHeaderTarget : FuzzTarget
{
    public override string Name => "pack-header";

    public override IEnumerable<byte[]> Seeds => [Harness.PackHeader];

    public override void Run(byte[] input) => PackFormat.ReadHeader(input, PackContent.Data, Harness.PackSeq, Harness.Ring);
}

internal sealed class PackTrailerTarget : FuzzTarget
{
    private const int PackLengthBytes = 1064;

    public override string Name => "pack-trailer";

    public override IEnumerable<byte[]> Seeds => [PackFormat.WriteTrailer(PackLengthBytes - 64 - 60, 60, 1, Harness.PackSeq, 1, new XxHash128())];

    public override void Run(byte[] input) => PackFormat.ReadTrailer(input, Harness.PackSeq, PackLengthBytes);
}

/// <summary>A whole pack whose bytes are the input, as a disk would change them: nothing is sealed anew.</summary>
internal sealed class PackBytesTarget : FuzzTarget
{
    public override string Name => "pack-bytes";

    public override IEnumerable<byte[]> Seeds => [PackDirectoryTarget.Pack([PackDirectoryTarget.Good])];

    public override void Run(byte[] input) => PackDirectoryTarget.ReadAll(input);
}

/// <summary>A pack with an authentic directory that says what the input says.</summary>
internal sealed class PackDirectoryTarget : FuzzTarget
{
    private const int EntryLengthBytes = 44;
    private static readonly byte[] Content = Harness.Bytes(9, 300);
    private static readonly byte[] Scratch = new byte[1 << 24];
    private static readonly FrameCodecPool Codecs = new();

    public static PackEntry Good { get; } = new(
        ChunkId.Compute(Harness.Ring.IdKey, Content), PackFormat.HeaderLengthBytes, Content.Length + PackFormat.TagLengthBytes, Content.Length, ChunkCodec.Raw);

    public override string Name => "pack-directory";

    /// <summary>A frame's stored length is up to 16 MiB, and so is the buffer for it.</summary>
    public override long GreatestAllocationBytes => 48 << 20;

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var entry = new byte[EntryLengthBytes];
            Good.Id.WriteTo(entry);
            BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(32), Good.OffsetBytes);
            PackFormat.WriteUInt24(entry.AsSpan(36), Good.StoredLengthBytes);
            PackFormat.WriteUInt24(entry.AsSpan(39), Good.RawLengthBytes);
            yield return entry;
        }
    }

    public static byte[] Pack(IReadOnlyList<PackEntry> entries)
    {
        var frame = Harness.SealPiece(0, 0, Content.Length, ChunkCodec.Raw, Content);
        var directory = PackFormat.SealDirectory(Harness.PackCipher, Harness.Ring.VaultId, Harness.PackSeq, entries);
        var before = Harness.Concat(Harness.PackHeader, frame, directory);
        var hash = new XxHash128();
        hash.Append(before);
        return [.. before, .. PackFormat.WriteTrailer((uint)(before.Length - directory.Length), directory.Length, entries.Count, Harness.PackSeq, 1, hash)];
    }

    public static void ReadAll(byte[] pack)
    {
        var backend = Harness.Backend(PackFormat.NameOf(PackContent.Data, Harness.PackSeq), pack);
        var reader = new PackReader(backend, Harness.Ring, Codecs);
        var directory = Finish(reader.GetDirectoryAsync(PackContent.Data, Harness.PackSeq, CancellationToken.None));
        for (var i = 0; i < Math.Min(directory.Length, 3); i++)
        {
            var slot = directory[i].ToSlot(Harness.PackSeq, i);
            Finish(reader.ReadChunkAsync(PackContent.Data, slot, Scratch.AsMemory(0, directory[i].RawLengthBytes), CancellationToken.None));
        }
    }

    public override void Run(byte[] input)
    {
        var entries = new List<PackEntry>();
        for (var at = 0; at + EntryLengthBytes <= input.Length && entries.Count < 8; at += EntryLengthBytes)
        {
            var source = input.AsSpan(at, EntryLengthBytes);
            entries.Add(new(
                new ChunkId(source[..32]),
                BinaryPrimitives.ReadUInt32LittleEndian(source[32..]),
                PackFormat.ReadUInt24(source[36..]),
                PackFormat.ReadUInt24(source[39..]),
                (ChunkCodec)source[42]));
        }

        ReadAll(Pack(entries));
    }
}

/// <summary>An authentic frame whose compressed bytes, or table of parts, are the input's.</summary>
internal sealed class FrameTarget : FuzzTarget
{
    private const int GreatestWholeBytes = 0x1FFF;
    private const int GreatestPartsBytes = 0x3FFFF;
    private static readonly byte[] Scratch = new byte[GreatestPartsBytes + 1];
    private static readonly FrameCodec Codec = new();
    private static readonly ChunkCompressor Compressor = new();

    public override string Name => "frame";

    /// <summary>Input: codec u8, raw length u24, length of the table u16, table, the pieces' bytes.</summary>
    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var raw = new byte[1000];
            yield return [0, 0xE8, 3, 0, 0, 0, .. raw];
            using var compressor = new ZstdNet.Compressor();
            yield return [1, 0xE8, 3, 0, 0, 0, .. compressor.Wrap(raw)];

            // Two parts: 64 KiB and 1,000 bytes of zeros, each one zstd frame.
            var first = compressor.Wrap(new byte[FrameFormat.PartLengthBytes]);
            var second = compressor.Wrap(raw);
            var table = new byte[6];
            PackFormat.WriteUInt24(table, (first.Length + 16) | (1 << 23));
            PackFormat.WriteUInt24(table.AsSpan(3), (second.Length + 16) | (1 << 23));
            yield return [2, 0xE8, 3, 1, 6, 0, .. table, .. first, .. second];
        }
    }

    public override void Run(byte[] input)
    {
        if (input.Length < 6)
            throw StoreException.Corrupt("Too short for this harness");
        var codec = (ChunkCodec)(input[0] & 3);
        var rest = input.AsSpan(6);

        // Of a length that takes little time: longer chunks only have more parts.
        var raw = Scratch.AsSpan(0, PackFormat.ReadUInt24(input.AsSpan(1)) & (codec == ChunkCodec.Parts ? GreatestPartsBytes : GreatestWholeBytes));
        if (codec == ChunkCodec.Parts)
            OpenParts(rest, BinaryPrimitives.ReadUInt16LittleEndian(input.AsSpan(4)), raw);
        else
            OpenWhole(codec, rest, raw);
    }

    private static void OpenParts(ReadOnlySpan<byte> rest, int tableLength, Span<byte> raw)
    {
        tableLength = Math.Min(tableLength, rest.Length);
        var frame = SealParts(raw.Length, rest[..tableLength].ToArray(), rest[tableLength..]);
        Codec.OpenParts(Harness.PackKey, Harness.Ring.VaultId, SlotOf(ChunkCodec.Parts, frame), frame, raw.Length, 0, raw);
    }

    /// <summary>The slot has the id of what comes out, so that a frame that opens is taken.</summary>
    private static void OpenWhole(ChunkCodec codec, ReadOnlySpan<byte> rest, Span<byte> raw)
    {
        if (codec == ChunkCodec.Zstd)
            Compressor.Decompress(rest, raw);
        var id = ChunkId.Compute(Harness.Ring.IdKey, codec == ChunkCodec.Zstd ? raw : rest);
        var frame = Harness.SealPiece(0, 0, raw.Length, codec, rest);
        Codec.Open(Harness.PackKey, Harness.Ring.VaultId, Harness.Ring.IdKey, SlotOf(codec, frame) with { Id = id }, frame, raw);
    }

    private static Slot SlotOf(ChunkCodec codec, byte[] frame) => new(SlotKind.Whole, codec, frame.Length, Harness.PackSeq, 0, 0, 64, default);

    private static byte[] SealParts(int rawLength, byte[] table, ReadOnlySpan<byte> pieces)
    {
        var sealedPieces = new List<byte[]>();
        for (var i = 0; i * 3 + 3 <= table.Length; i++)
        {
            var length = Math.Min(pieces.Length, Math.Max(0, (PackFormat.ReadUInt24(table.AsSpan(i * 3)) & 0x7FFFFF) - PackFormat.TagLengthBytes));
            sealedPieces.Add(Harness.SealPiece((uint)i, 0, rawLength, ChunkCodec.Parts, pieces[..length]));
            pieces = pieces[length..];
        }

        sealedPieces.Add(Harness.SealPiece(uint.MaxValue, 0, rawLength, ChunkCodec.Parts, table));
        return Harness.Concat([.. sealedPieces]);
    }
}
