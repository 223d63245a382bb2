using Strongroom.Store.Scrub;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Scrub;

/// <summary>Verification of snapshots that share most of what they need.</summary>
public sealed class SharedManifestTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task What_is_sound_is_read_once_and_what_is_not_counts_for_every_snapshot()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(512L << 20);
        for (var i = 0; i < 8; i++)
            disk.Write((long)i << 26, TestVault.Noise(i, 200_000));
        var snapshots = new List<Snapshot> { await vault.BackUpAsync(disk) };
        var oldest = (await backend.AllAsync("packs/")).Select(blob => blob.Name).ToHashSet();
        for (var i = 0; i < 5; i++)
        {
            disk.Write(7L << 26, TestVault.Noise(100 + i, 200_000));
            snapshots.Add(await vault.BackUpAsync(disk, snapshots[^1].Images[0].Image));
        }

        var verifier = new Verifier(vault, false, null);
        Assert.True((await verifier.RunAsync(None)).IsHealthy);
        Assert.Equal((await vault.MarkAsync(None)).Nodes, verifier.Nodes);
        foreach (var name in oldest)
            await backend.DeleteAsync(name, None);
        var report = await vault.VerifyAsync(readData: false, null, None);
        Assert.Equal(snapshots.Select(one => one.Id).ToHashSet(), report.Problems.SelectMany(problem => problem.Snapshots).ToHashSet());
        Assert.Contains(report.Problems, problem => problem.Snapshots.Count == snapshots.Count);
    }
}
