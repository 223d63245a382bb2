using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>The bytes of streams and trees as the document has them. The fingerprints were computed from it by another program, in another language.</summary>
public sealed class TreeFormatTests
{
    private static readonly Guid VaultId = new("00112233-4455-6677-8899-aabbccddeeff");

    private static readonly StreamRef Stream = new((1L << 30) + 1000, 1, new Slot(SlotKind.Whole, ChunkCodec.Raw, 100, 8, 2, 2, 80, Id(6)));

    [Fact]
    public void The_gear_table_is_the_documented_one()
    {
        static byte[] Key(int seed) => [.. Enumerable.Range(seed, 32).Select(i => (byte)i)];
        var ring = new KeyRing(VaultId, Key(1), Key(2), Key(3), Key(4), System.Collections.Immutable.ImmutableSortedDictionary<uint, byte[]>.Empty.Add(1, Key(5)));
        Assert.Equal("254d4d12", Fingerprint(MemoryMarshal.AsBytes(GearTable.Derive(ring).AsSpan())));
    }

    [Fact]
    public void A_node_of_a_stream_has_the_documented_bytes()
    {
        var slot = new Slot(SlotKind.Whole, ChunkCodec.Zstd, 900, 7, 3, 0, 64, Id(5));
        StreamRecord[] records = [new(1000, slot), new(1 << 30, default)];
        var node = StreamNode.Format(records);
        Assert.Equal(112, node.Length);
        Assert.Equal("fe1074e3", Fingerprint(node));
        Assert.Equal(records, StreamNode.Parse(node, 1, Stream.LengthBytes));
    }

    [Fact]
    public void A_page_has_the_documented_bytes()
    {
        var plain = new TreeEntry { Kind = TreeEntryKind.File, Name = "b"u8.ToArray(), Mode = 0x1A4, Inline = "hi"u8.ToArray() };
        TreeEntry[] entries =
        [
            new()
            {
                Kind = TreeEntryKind.File,
                Flags = TreeEntryFlags.Sparse | TreeEntryFlags.NotSettled,
                Name = new byte[] { (byte)'a', 0xFF },
                Mode = 0x9ED,
                UserId = 1000,
                GroupId = 100,
                UserName = "root",
                GroupName = "wheel",
                ModifiedAt = new(-5, 999_999_999),
                ChangedAt = new(1_700_000_000, 1),
                Inode = (1UL << 40) + 1,
                Device = 2,
                Links = 3,
                Attributes = [new("user.a"u8.ToArray(), new byte[] { 1, 2 })],
                Stream = Stream,
            },
            plain,
            plain with { Kind = TreeEntryKind.Folder, Name = "c"u8.ToArray(), Mode = 0x1ED, Inline = null, Stream = Stream },
            plain with { Kind = TreeEntryKind.SymbolicLink, Name = "d"u8.ToArray(), Mode = 0x1FF, Inline = null, LinkTarget = "x/y"u8.ToArray() },
            plain with { Kind = TreeEntryKind.BlockDevice, Name = "e"u8.ToArray(), Mode = 0x180, Inline = null, DeviceMajor = 8, DeviceMinor = 70_000 },
            plain with { Name = "f"u8.ToArray(), Mode = 0x180, Inline = null },
        ];
        var page = entries.SelectMany(TreePage.Format).ToArray();
        Assert.Equal("1325615e", Fingerprint(page));
        var parsed = TreePage.Parse(page, false);
        Assert.Equal(page, parsed.SelectMany(TreePage.Format));
        Assert.Equal([true, true, true, true, true, false], parsed.Select(entry => entry.HasContent));
        Assert.Equal(Stream.LengthBytes, parsed[0].LengthBytes);
        Assert.Equal((2, 3), (parsed[1].LengthBytes, parsed[3].LinkTarget.Length));
    }

    [Fact]
    public void A_snapshot_of_a_stream_and_a_tree_has_the_documented_bytes()
    {
        var tree = new TreeRef(new StreamRef(200, 0, new Slot(SlotKind.Whole, ChunkCodec.Raw, 216, 9, 1, 0, 64, Id(7))));
        var draft = new SnapshotDraft { Id = new(VaultId), ItemId = "x", Images = [], Streams = [new("dump", Stream)], Trees = [new("/home", tree)] };
        var payload = SnapshotPayload.Format(draft, DateTimeOffset.FromUnixTimeMilliseconds(1234));
        Assert.Equal("4942e937", Fingerprint(payload));
        var parsed = SnapshotPayload.Parse(new(9, LogEntryType.Commit, new byte[32], VaultId, DateTimeOffset.UnixEpoch, payload, new byte[32]));
        Assert.Equal(draft.Streams, parsed.Streams);
        Assert.Equal(draft.Trees, parsed.Trees);
        Assert.Empty(parsed.Images);
    }

    private static ChunkId Id(byte seed) => new(SHA256.HashData([seed]));

    private static string Fingerprint(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 4));
}
