using CsCheck;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Trees;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Bytes that no writer made: a parser reads them as they are, or says Corrupt, and does nothing else.</summary>
public sealed class ManifestMutationTests
{
    private static readonly Gen<byte[]> AnyBytes = Gen.Byte.Array[0, 400];

    // A mutation: where, and what the byte becomes.
    private static readonly Gen<(int Where, byte Value)[]> Mutations = Gen.Select(Gen.Int[0, 100_000], Gen.Byte).Array[1, 4];

    [Fact]
    public void A_changed_page_is_read_or_refused()
    {
        var page = Page();
        Assert.Equal(7, TreePage.Parse(page, false).Count);
        Gen.Select(Mutations, Gen.Int[0, page.Length]).Sample(
            (changes, length) => IsReadOrRefused(() => RoundTrip(Change(page, changes)[..length])), iter: 30_000);
        AnyBytes.Sample(bytes => IsReadOrRefused(() => RoundTrip(bytes)), iter: 30_000);
    }

    [Fact]
    public void A_changed_node_is_read_or_refused()
    {
        var id = new ChunkId(new byte[32]);
        var slot = new Slot(SlotKind.Whole, ChunkCodec.Zstd, 1000, 1, 1, 0, 64, id);
        var node = StreamNode.Format([new(1000, slot), new(1 << 30, default), new(4 << 20, slot)]);
        var length = 1000 + (1L << 30) + (4 << 20);
        Assert.Equal(3, StreamNode.Parse(node, 1, length).Length);
        Assert.Throws<StoreException>(() => StreamNode.Parse(node, 1, length + 1));
        Assert.Throws<StoreException>(() => StreamNode.Parse(node, 2, length));
        Gen.Select(Mutations, Gen.Int[1, 3]).Sample(
            (changes, level) => IsReadOrRefused(() =>
            {
                var records = StreamNode.Parse(Change(node, changes), level, length);
                Assert.Equal(length, records.Sum(record => record.LengthBytes));
            }),
            iter: 30_000);
        AnyBytes.Sample(bytes => IsReadOrRefused(() => StreamNode.Parse(bytes, 1, 1000)), iter: 30_000);
    }

    [Fact]
    public void A_changed_reference_is_read_or_refused()
    {
        var bytes = new byte[StreamRef.EncodedLengthBytes];
        new StreamRef(1000, 0, new Slot(SlotKind.Whole, ChunkCodec.Zstd, 100, 1, 1, 0, 64, new ChunkId(new byte[32]))).WriteTo(bytes);
        Assert.Equal(1000, TreeRef.Read(bytes).Page.LengthBytes);
        Mutations.Sample(
            changes => IsReadOrRefused(() =>
            {
                var changed = Change(bytes, changes);
                var text = TreeRef.Read(changed).ToString();
                Assert.True(TreeRef.TryParse(text, out var parsed));
                Assert.Equal(text, parsed.ToString());
                Assert.InRange(StreamRef.Read(changed).LengthBytes, 1, StreamNode.GreatestChunkLengthBytes);
            }),
            iter: 30_000);
        Assert.False(StreamRef.TryParse("str1.!", out _));
        Assert.False(TreeRef.TryParse(new StreamRef(0, 0, default).Format("tree1."), out _));
    }

    /// <summary>What is read can be written again, and reads the same.</summary>
    private static void RoundTrip(byte[] bytes)
    {
        var entries = TreePage.Parse(bytes, false);
        Assert.All(entries, entry => Assert.True(TreePage.IsName(entry.Name.Span)));
        Assert.Equal(entries.Count, TreePage.Parse(entries.SelectMany(TreePage.Format).ToArray(), false).Count);
    }

    private static bool IsReadOrRefused(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (StoreException failure)
        {
            return failure.Kind == StoreErrorKind.Corrupt;
        }
    }

    private static byte[] Change(byte[] bytes, (int Where, byte Value)[] changes)
    {
        var changed = bytes.ToArray();
        foreach (var (where, value) in changes)
            changed[where % changed.Length] = value;
        return changed;
    }

    private static byte[] Page()
    {
        var stream = new StreamRef(1000, 0, new Slot(SlotKind.Whole, ChunkCodec.Zstd, 100, 1, 1, 0, 64, new ChunkId(new byte[32])));
        var common = new TreeEntry
        {
            Kind = TreeEntryKind.File,
            Name = "a"u8.ToArray(),
            Mode = 0x1A4,
            UserName = "root",
            GroupName = "wheel",
            Attributes = [new("user.a"u8.ToArray(), new byte[] { 1, 2 }), new("user.b"u8.ToArray(), TestVault.Noise(1, 40))],
        };
        TreeEntry[] entries =
        [
            common with { Inline = [1, 2, 3] },
            common with { Name = "b"u8.ToArray(), Stream = stream },
            common with { Name = "c"u8.ToArray(), Kind = TreeEntryKind.Folder, Stream = stream },
            common with { Name = "d"u8.ToArray(), Kind = TreeEntryKind.SymbolicLink, LinkTarget = "x/y"u8.ToArray() },
            common with { Name = "e"u8.ToArray(), Kind = TreeEntryKind.BlockDevice, DeviceMajor = 8, DeviceMinor = 1 },
            common with { Name = "f"u8.ToArray(), Kind = TreeEntryKind.Fifo, Attributes = [] },
            common with { Name = "g"u8.ToArray(), Kind = TreeEntryKind.Folder },
        ];
        return [.. entries.SelectMany(TreePage.Format)];
    }
}
