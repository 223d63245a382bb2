using Strongroom.Bench.Disks;
using Strongroom.Store;
using Strongroom.Store.Collection;
using Strongroom.Store.Images;
using Strongroom.Store.Log;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Bench.Marking;

/// <summary>What a synthetic vault holds.</summary>
/// <param name="DiskCount">Disks of each recovery point.</param>
/// <param name="DiskLengthBytes">Of each disk; full of data.</param>
/// <param name="Snapshots">Recovery points: one full, the others with changes.</param>
/// <param name="ChangedLeavesPercent">Of the leaves (64 MiB each), touched between two recovery points.</param>
/// <param name="ChangedSlotsPerLeaf">Of the 256 slots of such a leaf.</param>
internal sealed record VaultRecipe(int DiskCount, long DiskLengthBytes, int Snapshots, double ChangedLeavesPercent, int ChangedSlotsPerLeaf);

/// <summary>Writes the manifests of recovery points whose data does not exist: real nodes, packs and log entries, and data packs that are numbers only.</summary>
internal sealed class SyntheticVault(VaultStore vault, VaultRecipe recipe)
{
    // 32 MiB hold about 200 chunks of 256 KiB at the usual ratio of 1.6.
    private const int ChunksPerPack = 200;
    private const int StoredLengthBytes = 160_000;
    private readonly SequenceRandom random = new(1);
    private readonly List<Slot[]> leaves = [];
    private uint packSeq;
    private int chunksInPack = ChunksPerPack;

    /// <summary>Nodes of level 1 written.</summary>
    public long Leaves { get; private set; }

    /// <summary>Data packs that slots point to.</summary>
    public long DataPacks { get; private set; }

    public async Task BuildAsync(CancellationToken cancellationToken)
    {
        var images = new ImageRef?[recipe.DiskCount];
        for (var number = 0; number < recipe.Snapshots; number++)
        {
            using var lane = new PackLane(vault, PackContent.Nodes, null, new CommitClaims(), cancellationToken);
            for (var disk = 0; disk < recipe.DiskCount; disk++)
                images[disk] = await WriteImageAsync(disk, images[disk], lane, cancellationToken);
            await lane.FinishAsync(cancellationToken);
            var draft = new SnapshotDraft
            {
                Id = new(Guid.NewGuid()),
                ItemId = "synthetic",
                Images = [.. images.Select((image, disk) => new SnapshotImage(disk, $"disk{disk}", image!.Value))],
            };
            await vault.Log.AppendAsync(LogEntryType.Commit, now => SnapshotPayload.Format(draft, now), cancellationToken);
        }
    }

    private async Task<ImageRef> WriteImageAsync(int disk, ImageRef? parent, PackLane lane, CancellationToken cancellationToken)
    {
        var height = ImageGeometry.HeightOf(recipe.DiskLengthBytes);
        using var workspace = new ChunkWorkspace();

        ValueTask<Slot> StoreAsync(ReadOnlyMemory<byte> node, CancellationToken token) =>
            lane.AppendAsync(ChunkId.Compute(vault.Packs.Ring.NodeKey, node.Span), workspace.Encode(node), token);

        // Parents are shared by hand below: comparing each node with its parent's would read the whole tree for every recovery point.
        var builder = new TreeBuilder(vault.Manifests, null, height, StoreAsync);
        if (parent is null)
            leaves.Add(new Slot[(recipe.DiskLengthBytes + ImageGeometry.LeafLengthBytes - 1) / ImageGeometry.LeafLengthBytes]);
        var own = leaves[disk];
        for (var i = 0; i < own.Length; i++)
        {
            var isChanged = parent is null || random.NextFraction() * 100 < recipe.ChangedLeavesPercent;
            if (!isChanged)
            {
                await builder.AddLeafAsync(own[i], cancellationToken);
                continue;
            }

            own[i] = await StoreAsync(await MakeLeafAsync(parent is null ? null : own[i], cancellationToken), cancellationToken);
            await builder.AddLeafAsync(own[i], cancellationToken);
            Leaves++;
        }

        return new(recipe.DiskLengthBytes, height, await builder.FinishAsync(cancellationToken));
    }

    private async ValueTask<byte[]> MakeLeafAsync(Slot? parent, CancellationToken cancellationToken)
    {
        var leaf = new byte[ImageGeometry.NodeLengthBytes];
        if (parent is { } slot)
            (await vault.Manifests.ReadNodeAsync(slot, 1, cancellationToken)).CopyTo(leaf, 0);
        for (var i = 0; i < (parent is null ? ImageGeometry.FanOut : recipe.ChangedSlotsPerLeaf); i++)
        {
            var place = parent is null ? i : (int)random.NextBelow(ImageGeometry.FanOut);
            (await NextChunkAsync(cancellationToken)).WriteTo(leaf.AsSpan(place * Slot.LengthBytes));
        }

        return leaf;
    }

    private async ValueTask<Slot> NextChunkAsync(CancellationToken cancellationToken)
    {
        if (chunksInPack == ChunksPerPack)
        {
            packSeq = await vault.AllocatePackSeqAsync(cancellationToken);
            chunksInPack = 0;
            DataPacks++;
        }

        var id = new byte[ChunkId.LengthBytes];
        random.Fill(id);
        var storedLength = StoredLengthBytes - (int)random.NextBelow(StoredLengthBytes / 2);
        var offset = (uint)(PackFormat.HeaderLengthBytes + (chunksInPack * StoredLengthBytes));
        return new(SlotKind.Whole, ChunkCodec.Parts, storedLength, packSeq, (ushort)chunksInPack++, 0, offset, new ChunkId(id));
    }
}
