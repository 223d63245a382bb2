using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Streams;

/// <summary>Manifest nodes of a stream that rotted are not handed on to later backups.</summary>
public sealed class InheritedStreamDamageTests
{
    private static readonly VaultStoreOptions Options = TestVault.Small with { PackSizeBytes = 8 << 20, IndexBufferRecords = 1024 };
    private readonly MemoryBackend storage = new();

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_rotted_or_was_lost_is_written_anew(bool isDeleted)
    {
        var content = TestVault.Noise(1, 10_000_000);
        StreamRef parent;
        await using (var vault = await TestVault.CreateAsync(storage, Options))
            parent = (await vault.StoreAsync(content)).Stream;
        Assert.Equal(1, parent.Height);
        await SpoilAsync(parent.Root, isDeleted);

        await using var again = await TestVault.OpenAsync(storage, Options);
        var (next, statistics) = await again.StoreAsync(content, parent);
        await again.AssertRestoresAsync(next, content);
        Assert.Equal(0, statistics.BytesNew);
    }

    [Fact]
    public async Task Below_a_node_that_rotted_nothing_is_shared_and_beside_it_all_is()
    {
        await using var vault = await TestVault.CreateAsync(storage, Options);
        StreamRef stream;
        await using (var session = await vault.OpenSessionAsync(None))
        {
            ISessionChunks chunks = session;
            var manifest = new StreamManifest(chunks, vault.Packs.Ring.NodeKey, null);
            var page = await chunks.StoreNodeAsync(TestVault.Noise(1, 1000), None);
            for (var i = 1; i <= 600; i++)
                await manifest.AddAsync(1000 + i, page, None);
            stream = await manifest.FinishAsync(None);
            await session.CommitAsync(TestVault.Draft(), None);
        }

        Assert.Equal(2, stream.Height);
        var leaves = await vault.Manifests.ReadStreamNodeAsync(stream.Root, 2, stream.LengthBytes, None);
        Assert.Equal(3, leaves.Length);
        await SpoilAsync(leaves[1].Slot, isDeleted: false);
        await using var again = await TestVault.OpenAsync(storage, Options);
        var nodes = await ParentNodes.OfAsync(again.Manifests, stream, _ => true, None);
        Assert.Equal(leaves[0].Slot, await FindAsync(nodes, leaves[0].Slot));
        Assert.Null(await FindAsync(nodes, leaves[1].Slot));
        Assert.Equal(leaves[2].Slot, await FindAsync(nodes, leaves[2].Slot));
        Assert.Null(await FindAsync(await ParentNodes.OfAsync(again.Manifests, stream, _ => false, None), leaves[0].Slot));

        await SpoilAsync(stream.Root, isDeleted: false);
        await using var last = await TestVault.OpenAsync(storage, Options);
        Assert.Null(await FindAsync(await ParentNodes.OfAsync(last.Manifests, stream, _ => true, None), leaves[0].Slot));
    }

    private static async Task<Slot?> FindAsync(ParentNodes nodes, Slot slot) => await nodes.FindAsync(slot.Id, StreamNode.RawLengthOf(slot), None);

    private async Task SpoilAsync(Slot node, bool isDeleted)
    {
        var name = PackFormat.NameOf(PackContent.Nodes, node.PackSeq);
        var content = await storage.ContentAsync(name);
        content[node.OffsetBytes + 5] ^= 1;
        if (isDeleted)
            await storage.DeleteAsync(name, None);
        else
            await storage.ReplaceAsync(name, content);
    }
}
