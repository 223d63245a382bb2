using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Governance;

/// <summary>What was deleted and can be brought back is still there: backups may rely on it, and verification looks at it.</summary>
public sealed class SoftDeletedContentTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_backup_goes_on_when_its_parent_is_deleted_softly()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var parent = await vault.BackUpAsync(disk);
        await using var session = await vault.OpenSessionAsync(None);
        disk.Write(0, TestVault.Noise(2, 1000));
        var image = await session.WriteImageAsync(disk, parent.Images[0].Image, null, None);
        await vault.DeleteSnapshotAsync(parent.Id, None);
        Assert.Null(vault.Find(parent.Id));

        // The parent's image itself, unchanged, is as good as one that was written.
        var snapshot = await session.CommitAsync(TestVault.Draft(image, parent.Images[0].Image), None);
        await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
    }

    [Fact]
    public async Task Verification_names_deleted_snapshots_that_cannot_be_brought_back_whole()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        await vault.Governance.SetPolicyAsync(new() { SoftDeleteDays = 14 }, None);
        var disk = new SparseDisk(4 << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        var snapshot = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(snapshot.Id, None);
        await backend.DeleteAsync((await backend.AllAsync("packs/"))[0].Name, None);
        var report = await vault.VerifyAsync(readData: false, null, None);
        Assert.Contains(report.Problems, problem => problem.Snapshots.Contains(snapshot.Id));
    }
}
