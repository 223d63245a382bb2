using System.IO.Hashing;
using System.Security.Cryptography;
using Strongroom.Store.Images;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Tests;

/// <summary>The bytes of format version 1 with fixed keys, salts and times. A change here is a change of format: vaults of users stop opening.
/// The fingerprints were computed from the document by another program, in another language; ids are of <c>b3sum --keyed</c>.</summary>
public sealed class FormatTests
{
    private static readonly Guid VaultId = new("00112233-4455-6677-8899-aabbccddeeff");

    private static readonly byte[] Salt = [.. Enumerable.Range(100, 16).Select(i => (byte)i)];

    [Fact]
    public void A_key_ring_has_the_documented_bytes()
    {
        var bytes = Ring().Format();
        Assert.Equal(188, bytes.Length);
        Assert.Equal("SRKR"u8, bytes.AsSpan(0, 4));
        Assert.Equal("00112233445566778899aabbccddeeff", Convert.ToHexStringLower(bytes.AsSpan(8, 16)));
        Assert.Equal("16d9d23b", Fingerprint(bytes));
        Assert.Equal(bytes, KeyRing.Parse(bytes).Format());
    }

    [Fact]
    public void A_slot_has_the_documented_bytes()
    {
        var slot = new Slot(SlotKind.Whole, ChunkCodec.Zstd, 0x030201, 0x07060504, 0x0908, 0, 0x0D0C0B0A, Id(7));
        var bytes = new byte[Slot.LengthBytes];
        slot.WriteTo(bytes);
        Assert.Equal("11010203" + "04050607" + "0809" + "0000" + "0a0b0c0d", Convert.ToHexStringLower(bytes.AsSpan(0, 16)));
        Assert.Equal(slot.Id.ToString(), Convert.ToHexStringLower(bytes.AsSpan(16)));
        Assert.Equal(slot, Slot.Read(bytes));
        new Slot().WriteTo(bytes);
        Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public async Task A_pack_has_the_documented_bytes()
    {
        var backend = new MemoryBackend();
        using var codecs = new FrameCodecPool();
        var first = "The quick brown fox"u8.ToArray();
        var second = new byte[300];
        await using (var pack = await PackWriter.CreateAsync(backend, Ring(), PackContent.Data, 0x01020304, Salt, CancellationToken.None))
        {
            var slot = await pack.AppendAsync(ChunkId.Compute(Ring().IdKey, first), EncodedChunk.OfRaw(first), CancellationToken.None);
            Assert.Equal((64u, 35, (ushort)0), (slot.OffsetBytes, slot.StoredLengthBytes, slot.Ordinal));
            slot = await pack.AppendAsync(ChunkId.Compute(Ring().IdKey, second), EncodedChunk.OfRaw(second), CancellationToken.None);
            Assert.Equal((99u, 316, (ushort)1), (slot.OffsetBytes, slot.StoredLengthBytes, slot.Ordinal));
            await pack.SealAsync(1, Ring().IdKey, codecs, CancellationToken.None);
            Assert.Equal("3758a532b3346d06cabbbc2b05ebfd7924fca1d342b3bb3c9c7be6fd7de8f577", ChunkId.Compute(Ring().IdKey, first).ToString());
        }

        var bytes = await ReadAsync(backend, "packs/04/01020304");
        Assert.Equal(64 + 35 + 316 + (2 * 44) + 16 + 64, bytes.Length);
        Assert.Equal("SRPACK01"u8, bytes.AsSpan(0, 8));
        Assert.Equal("SRPKEND1"u8, bytes.AsSpan(bytes.Length - 8));
        Assert.Equal(XxHash128.Hash(bytes.AsSpan(0, bytes.Length - 40)), bytes[^40..^24]);
        Assert.Equal("87ba0c06", Fingerprint(bytes));
    }

    [Fact]
    public async Task A_chunk_of_more_than_64_KiB_has_the_documented_bytes()
    {
        var backend = new MemoryBackend();
        using var codecs = new FrameCodecPool();
        var raw = new byte[150_000];
        for (var i = 0; i < raw.Length; i++)
            raw[i] = (byte)(((long)i * i >> 8) ^ (i * 7L));
        await using (var pack = await PackWriter.CreateAsync(backend, Ring(), PackContent.Data, 0x01020304, Salt, CancellationToken.None))
        {
            var slot = await pack.AppendAsync(ChunkId.Compute(Ring().IdKey, raw), EncodedChunk.OfRaw(raw), CancellationToken.None);
            Assert.Equal((ChunkCodec.Parts, 150_000 + (3 * 16) + 9 + 16), (slot.Codec, slot.StoredLengthBytes));
            await pack.SealAsync(1, Ring().IdKey, codecs, CancellationToken.None);
            Assert.Equal("c7f0f18028f66d188190017194d2107c54a9db430f200fdb664d5a4cae0d6de9", ChunkId.Compute(Ring().IdKey, raw).ToString());
        }

        var bytes = await ReadAsync(backend, "packs/04/01020304");
        Assert.Equal(150_261, bytes.Length);
        Assert.Equal("f6a3fc4f", Fingerprint(bytes));
    }

    [Fact]
    public void A_leaf_with_split_slots_has_the_documented_bytes()
    {
        var whole = new Slot(SlotKind.Whole, ChunkCodec.Parts, 100_000, 7, 3, 0, 64, Id(1));
        var own = new Slot(SlotKind.Whole, ChunkCodec.Zstd, 500, 9, 2, 0, 70, Id(2));
        var contents = new SlotContent[256];
        contents[0] = new(whole);
        contents[5] = new(default, [whole.ToPart(0), own, default, whole.ToPart(3)]);
        contents[255] = new(default, [default, default, own, default]);
        var bytes = new byte[NodeFormat.GreatestLengthBytes];
        var leaf = bytes[..NodeFormat.WriteLeaf(contents, bytes)];
        Assert.Equal(12_288 + (2 * 192), leaf.Length);
        Assert.Equal("3dd35480", Fingerprint(leaf));
        for (var i = 0; i < contents.Length; i++)
        {
            var read = SlotContent.Of(leaf, i);
            Assert.Equal(contents[i].Slot, read.Slot);
            Assert.Equal(contents[i].SubSlots, read.SubSlots);
        }

        var children = new Slot[NodeFormat.GreatestChildCount];
        Assert.Equal([whole, whole, own, own], children[..NodeFormat.ReadChildren(leaf, 1, children)]);
    }

    [Fact]
    public void A_log_entry_has_the_documented_bytes_and_opens()
    {
        var time = new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
        var (bytes, entry) = LogEntry.Seal(
            Ring(), 5, LogEntryType.Reserve, new byte[32], VaultId, Salt, time, new PayloadWriter().UInt32(1).UInt32(1024).ToArray());
        Assert.Equal(92 + 8 + 16 + 32, bytes.Length);
        Assert.Equal("d2d74047", Fingerprint(bytes));
        Assert.True(LogEntry.TryOpen(Ring(), 5, bytes, out var opened));
        Assert.Equal(entry.Payload, opened.Payload);
        Assert.Equal((entry.Sequence, entry.Type, entry.Time, entry.WriterId), (opened.Sequence, opened.Type, opened.Time, opened.WriterId));
        Assert.False(LogEntry.TryOpen(Ring(), 6, bytes, out _));
        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = bytes.ToArray();
            changed[i] ^= 0x10;
            Assert.False(LogEntry.TryOpen(Ring(), 5, changed, out _), $"byte {i}");
            Assert.False(LogEntry.TryOpen(Ring(), 5, bytes.AsSpan(0, i), out _), $"cut at {i}");
        }
    }

    [Fact]
    public void A_snapshot_has_the_documented_bytes()
    {
        var draft = new SnapshotDraft
        {
            Id = new(VaultId),
            ItemId = "vm",
            Images = [new(-1, "os", new ImageRef(1000, 1, default)), new(3, "data", new ImageRef(70L << 20, 2, new Slot(SlotKind.Whole, ChunkCodec.Raw, 9, 8, 7, 0, 6, Id(5))))],
            Consistency = "crash",
            Configuration = new byte[] { 1, 2, 3 },
            Parent = new SnapshotId(new Guid("11111111-1111-1111-1111-111111111111")),
        };
        var payload = SnapshotPayload.Format(draft, DateTimeOffset.FromUnixTimeMilliseconds(1234));
        Assert.Equal("937a9f42", Fingerprint(payload));
        var entry = new LogEntry(9, LogEntryType.Commit, new byte[32], VaultId, DateTimeOffset.UnixEpoch, payload, new byte[32]);
        var parsed = SnapshotPayload.Parse(entry);
        Assert.Equal(draft.Images, parsed.Images);
        Assert.Equal((draft.Id, draft.ItemId, draft.Consistency, draft.Parent, 9), (parsed.Id, parsed.ItemId, parsed.Consistency, parsed.Parent, parsed.LogSequence));
        Assert.Equal(draft.Configuration.ToArray(), parsed.Configuration.ToArray());
    }

    private static KeyRing Ring()
    {
        static byte[] Key(int seed) => [.. Enumerable.Range(seed, 32).Select(i => (byte)i)];
        return new(VaultId, Key(1), Key(2), Key(3), Key(4), System.Collections.Immutable.ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Key(5)));
    }

    private static ChunkId Id(byte seed) => new(SHA256.HashData([seed]));

    private static string Fingerprint(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 4));

    private static async Task<byte[]> ReadAsync(MemoryBackend backend, string name)
    {
        var bytes = new byte[await backend.GetLengthAsync(name, CancellationToken.None) ?? 0];
        await backend.ReadAsync(name, 0, bytes, CancellationToken.None);
        return bytes;
    }
}
