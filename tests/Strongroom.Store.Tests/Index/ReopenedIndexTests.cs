using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Index;

/// <summary>What an opened vault knows of packs that it did not write.</summary>
public sealed class ReopenedIndexTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Nothing_is_forgotten_when_segments_merge_while_packs_are_being_loaded()
    {
        var original = new MemoryBackend();
        var disk = new SparseDisk(64L << 20);
        disk.Write(0, TestVault.Noise(1, 36 << 20));
        await using (var vault = await TestVault.CreateAsync(original))
            await vault.BackUpAsync(disk);

        // The last merge may be due at any number of segments that are left.
        var segments = (await original.AllAsync("idx/")).Select(blob => blob.Name).Order(StringComparer.Ordinal).ToList();
        Assert.InRange(segments.Count, 2, 8);
        var lost = await original.CopyAsync();
        foreach (var name in segments.Where(name => name.StartsWith("idx/1-", StringComparison.Ordinal)))
            await lost.DeleteAsync(name, None);
        await lost.DeleteAsync(segments[0], None);
        await using var again = await TestVault.OpenAsync(lost);
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
        Assert.Equal(["meta/", "packs/"], backend.Prefixes.Order());
        backend.Prefixes.Clear();
        await two.RefreshPacksAsync(None);
        Assert.Empty(backend.Prefixes);
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
