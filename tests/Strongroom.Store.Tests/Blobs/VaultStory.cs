using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Blobs;

/// <summary>The life of a vault, told on any back end: made, filled, added to, restored, thinned out, collected, verified, and opened again elsewhere.</summary>
internal static class VaultStory
{
    /// <param name="open">Opens the same place anew, as another process would; what it returns is disposed if it can be.</param>
    public static async Task TellAsync(Func<IBlobBackend> open)
    {
        var disk = new SparseDisk(70L << 20) { TracksChanges = true };
        disk.Write(5000, TestVault.Noise(1, 3 << 20));
        disk.Write(20L << 20, TestVault.Prose(2, 2 << 20));
        var before = disk.Resize(disk.LengthBytes);
        Snapshot first, second, lonely;

        var here = open();
        await using (var vault = await TestVault.CreateAsync(here))
        {
            first = await vault.BackUpAsync(disk);
            disk.MarkClean();
            disk.Write(30L << 20, TestVault.Noise(3, 1 << 20));
            second = await vault.BackUpAsync(disk, first.Images[0].Image);
            var other = new SparseDisk(3L << 20);
            other.Write(0, TestVault.Noise(4, 3 << 20));
            lonely = await vault.BackUpAsync(other);
            await vault.AssertRestoresAsync(first.Images[0].Image, before);
            await vault.AssertRestoresAsync(second.Images[0].Image, disk);
        }

        (here as IDisposable)?.Dispose();
        var there = open();
        await using (var vault = await TestVault.OpenAsync(there))
        {
            Assert.Equal(3, vault.Snapshots.Count);
            var full = vault.Statistics.BytesStored;
            Assert.True(await vault.DeleteSnapshotAsync(lonely.Id, CancellationToken.None));
            await vault.CollectAsync([first.Id, second.Id], TestVault.AtOnce, CancellationToken.None);
            Assert.True(vault.Statistics.BytesStored < full - (2 << 20), $"A collection left {vault.Statistics.BytesStored} of {full} bytes.");
            await vault.AssertRestoresAsync(first.Images[0].Image, before);
            await vault.AssertRestoresAsync(second.Images[0].Image, disk);
            Assert.True((await vault.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
        }

        (there as IDisposable)?.Dispose();
        var later = open();
        await using (var vault = await TestVault.OpenAsync(later))
        {
            await vault.AssertRestoresAsync(vault.Find(second.Id)!.Images[0].Image, disk);
            Assert.Null(vault.Find(lonely.Id));
        }

        (later as IDisposable)?.Dispose();
    }
}
