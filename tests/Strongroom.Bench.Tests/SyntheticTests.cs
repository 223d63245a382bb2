using Strongroom.Bench.Indexing;
using Strongroom.Bench.Marking;
using Strongroom.Store;
using Strongroom.Store.Index;
using Strongroom.Store.Keys;

namespace Strongroom.Bench.Tests;

public sealed class SyntheticTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_id_of_a_synthetic_index_is_found_and_absent_ones_are_not()
    {
        const long Records = 1000 + (9 * 65_536);
        var index = new SyntheticIndex(Records);
        Assert.Equal([(1, 524_288L), (0, 65_536L), (0, 1000L)], index.Segments.Select(one => (one.Level, one.Count)));
        var ring = KeyRing.Generate(Guid.NewGuid());
        using var backend = new LocalBackend(folder.Path);
        var cancellationToken = TestContext.Current.CancellationToken;
        await index.BuildAsync(backend, ring, cancellationToken);
        var segments = new List<SegmentReader>();
        await foreach (var blob in backend.ListAsync("idx/", cancellationToken))
            segments.Add(await SegmentReader.OpenAsync(backend, ring, blob, cancellationToken));

        Assert.Equal(Records, segments.Sum(segment => segment.Records));
        for (var number = 0L; number < Records; number += 997)
            Assert.Equal(1, await CountAsync(segments, index.IdOf(number)));
        Assert.Equal(1, await CountAsync(segments, index.IdOf(Records - 1)));
        for (var number = 0UL; number < 200; number++)
            Assert.Equal(0, await CountAsync(segments, SyntheticIndex.Absent(number)));
    }

    [Fact]
    public async Task A_synthetic_vault_opens_with_whole_manifests_and_shares_what_did_not_change()
    {
        var key = MasterKeyFile.LoadOrCreate(folder["key"]);
        using var backend = new LocalBackend(folder["vault"]);
        var cancellationToken = TestContext.Current.CancellationToken;
        long leaves;
        await using (var vault = await VaultStore.CreateAsync(backend, key, new(), TimeProvider.System, cancellationToken))
        {
            var synthetic = new SyntheticVault(vault, new(DiskCount: 2, DiskLengthBytes: 20L << 30, Snapshots: 3, ChangedLeavesPercent: 10, ChangedSlotsPerLeaf: 4));
            await synthetic.BuildAsync(cancellationToken);
            leaves = synthetic.Leaves;
        }

        // 320 leaves for each of two disks, then about a tenth of them twice.
        Assert.InRange(leaves, 660, 900);
        await using var opened = await VaultStore.OpenAsync(backend, key, new(), TimeProvider.System, cancellationToken);
        Assert.Equal(3, opened.Snapshots.Count);
        foreach (var snapshot in opened.Snapshots)
        {
            await using var reader = await opened.OpenImageAsync(snapshot.Images[1].Image, cancellationToken);
            var map = await reader.MapAsync(cancellationToken).ToListAsync(cancellationToken);
            Assert.Equal([new ImageExtent(0, 20L << 30, ExtentKind.Data)], map);
        }
    }

    private static async Task<int> CountAsync(List<SegmentReader> segments, Store.Packs.ChunkId id)
    {
        var found = 0;
        foreach (var segment in segments)
            found += await segment.FindAsync(id, TestContext.Current.CancellationToken) is null ? 0 : 1;
        return found;
    }
}
