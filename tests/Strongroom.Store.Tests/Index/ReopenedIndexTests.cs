using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Index;

/// <summary>What an opened vault knows of packs that it did not write.</summary>
public sealed class ReopenedIndexTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Nothing_is_forgotten_when_segments_merge_while_packs_are_being_loaded()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(64L << 20);
        disk.Write(0, TestVault.Noise(1, 62 << 20));
        await using (var vault = await TestVault.CreateAsync(backend))
            await vault.BackUpAsync(disk);

        // What the lost segment covered is loaded anew, and the first new segment makes eight: they merge while the later packs are yet to come.
        var segments = (await backend.AllAsync("idx/")).Select(blob => blob.Name).ToList();
        Assert.Equal(7, segments.Count(name => name.StartsWith("idx/0-", StringComparison.Ordinal)));
        await backend.DeleteAsync(Assert.Single(segments, name => name.StartsWith("idx/1-", StringComparison.Ordinal)), None);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.Equal(0, (await again.BackUpCountedAsync(disk)).Statistics.BytesNew);
    }

    [Fact]
    public async Task Packs_of_others_are_made_durable_before_anything_relies_on_them()
    {
        var backend = new Syncs();
        await using var one = await TestVault.CreateAsync(backend);
        await using var two = await TestVault.OpenAsync(backend);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        await one.BackUpAsync(disk);
        backend.Prefixes.Clear();
        await two.Log.RefreshAsync(None);
        await two.RefreshPacksAsync(None);
        // The folders in which the new packs lie, and no others.
        var folders = two.PackSet.ToList().Select(pack => PackFormat.NameOf(pack.Content, pack.PackSeq)).Select(name => name[..(name.LastIndexOf('/') + 1)]);
        Assert.Equal(folders.Distinct().Order(StringComparer.Ordinal), backend.Prefixes.Order(StringComparer.Ordinal));
        Assert.Contains(backend.Prefixes, prefix => prefix.StartsWith("meta/", StringComparison.Ordinal));
        Assert.Contains(backend.Prefixes, prefix => prefix.StartsWith("packs/", StringComparison.Ordinal));
        backend.Prefixes.Clear();
        await two.RefreshPacksAsync(None);
        Assert.Empty(backend.Prefixes);
    }

    [Fact]
    public async Task What_others_wrote_is_learned_from_the_log_and_not_by_listing_the_vault()
    {
        var backend = new Lists();
        await using var one = await TestVault.CreateAsync(backend);
        await using var two = await TestVault.OpenAsync(backend);
        backend.Count = 0;
        for (var i = 1; i <= 3; i++)
        {
            var disk = new SparseDisk(4 << 20);
            disk.Write(0, TestVault.Noise(i, 3 << 20));
            var parent = (await one.BackUpAsync(disk)).Images[0].Image;
            Assert.Equal(0, (await two.BackUpCountedAsync(disk)).Statistics.BytesNew);
            var shared = await two.BackUpCountedAsync(disk, parent);
            Assert.Equal((0, 0), (shared.Statistics.BytesNew, shared.Statistics.BytesDeduplicated));
        }

        Assert.Equal(0, backend.Count);

        // More than it would be worth to ask for one by one.
        var large = new SparseDisk(64 << 20);
        large.Write(0, TestVault.Noise(9, 40 << 20));
        await one.BackUpAsync(large);
        Assert.Equal(0, (await two.BackUpCountedAsync(large)).Statistics.BytesNew);
        Assert.Equal(2, backend.Count);
    }

    private sealed class Lists : BentBackend
    {
        public int Count { get; set; }

        public override IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken)
        {
            if (prefix is "packs/" or "meta/")
                Count++;
            return base.ListAsync(prefix, cancellationToken);
        }
    }

    private sealed class Syncs : BentBackend
    {
        public List<string> Prefixes { get; } = [];

        public override ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
        {
            if (prefix != "log/")
                Prefixes.Add(prefix);
            return base.SyncAsync(prefix, cancellationToken);
        }
    }
}
