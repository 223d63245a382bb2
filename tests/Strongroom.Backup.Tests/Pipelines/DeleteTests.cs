using Strongroom.Backup.Jobs;
using Strongroom.Backup.Tests.Support;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Pipelines;

public sealed class DeleteTests
{
    [Fact]
    public async Task Deleting_takes_the_item_its_points_and_its_snapshots_and_nothing_of_others()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var (mine, theirs) = (rig.NewMachine("web1", FakeDisk.New(-1, "os", 1)), rig.NewMachine("web2", FakeDisk.New(-1, "os", 1)));
        foreach (var machine in new[] { mine, theirs })
        {
            await rig.ProtectAsync(vault, machine);
            await rig.BackUpAsync(vault, machine);
        }

        await LeaveUnlistedSnapshotAsync(rig, vault.Key, mine);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        Assert.Equal(3, store.Snapshots.Count);

        var deletion = await rig.Protection.DeleteAsync(vault, Rig.NativeName(mine), Rig.Token);
        Assert.True(deletion!.FollowsJob);
        var job = await rig.RunAsync(vault, deletion);

        Assert.Equal((JobStates.Completed, "1"), (job.State, job.Properties["Number of Recovery Points"]));
        Assert.Null(await rig.Items.FindAsync(vault.Key, Rig.NativeName(mine), Rig.Token));
        Assert.Empty(await rig.Points.ListAsync(job.ItemKey, Rig.Token));
        Assert.Single(store.Snapshots);
        await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, theirs)), theirs.Disks[0].Content);
        // The machine is free again, with no memory of its past.
        var again = await rig.ProtectAsync(vault, mine);
        Assert.NotEqual(job.ItemKey, again.Key);
    }

    [Fact]
    public async Task A_deletion_that_was_cut_off_is_finished_by_the_next_run()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        var deletion = (await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token))!;
        var claim = (await rig.Ledger.ClaimAsync("dead", TimeSpan.FromHours(1), Rig.Token))!;
        await rig.DeleteHandler.RunAsync(new(rig.Ledger, claim, rig.Time), Rig.Token);
        // The item is still there, but it lists nothing that the store has forgotten.
        Assert.Empty(await rig.PointsAsync(vault, machine));
        Assert.Null((await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.LastRecoveryPointTime);
        await rig.Stores.RestartAsync();

        var job = await rig.RunAsync(vault, deletion);

        Assert.Equal((JobStates.Completed, 2), (job.State, job.Attempt));
        Assert.Empty(await rig.Items.ListAsync(vault.Key, Rig.Token));
    }

    [Fact]
    public async Task A_deletion_that_fails_keeps_the_item_and_can_be_repeated()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        rig.Stores.Failure = new StoreException(StoreErrorKind.Io, "The disk is away.");
        var job = await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token))!);
        Assert.Equal((JobStates.Failed, "The disk is away."), (job.State, Assert.Single(job.Errors).Message));
        Assert.Single(await rig.PointsAsync(vault, machine));

        rig.Stores.Failure = null;
        job = await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token))!);

        Assert.Equal(JobStates.Completed, job.State);
        Assert.Empty(await rig.Items.ListAsync(vault.Key, Rig.Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task While_a_listed_point_is_lost_to_the_store_no_deletion_takes_a_pack(bool deletes)
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var (gone, kept) = (rig.NewMachine("web1", FakeDisk.New(-1, "os", 1)), rig.NewMachine("web2", FakeDisk.New(-1, "os", 2)));
        foreach (var machine in new[] { gone, kept })
        {
            await rig.ProtectAsync(vault, machine);
            await rig.BackUpAsync(vault, machine);
        }

        // The entry that committed the point of the machine that stays.
        await rig.HitEndOfLogAsync(vault, deletes);
        var packs = (await rig.Stores.OpenAsync(vault.Key, Rig.Token)).Statistics.Packs;

        var job = await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, Rig.NativeName(gone), Rig.Token))!);

        // An entry that is there and cannot be read may have locked what is to go: then nothing leaves the list. One that left no trace cannot be missed.
        Assert.Equal(deletes ? JobStates.Completed : JobStates.Failed, job.State);
        Assert.Equal(deletes, await rig.Items.FindAsync(vault.Key, Rig.NativeName(gone), Rig.Token) is null);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        Assert.Equal((deletes ? 0 : 1, packs), (store.Statistics.Snapshots, store.Statistics.Packs));
        if (!deletes) Assert.Single(await rig.PointsAsync(vault, gone));

        // A new backup of the same disk needs nothing that is lost.
        await rig.BackUpAsync(vault, kept);
        var points = await rig.PointsAsync(vault, kept);
        Assert.Equal(2, points.Count);
        await rig.AssertHoldsAsync(vault, points[0], kept.Disks[0].Content);
    }

    /// <summary>A backup that was committed in the store and then cancelled before its row was written.</summary>
    private static async Task LeaveUnlistedSnapshotAsync(Rig rig, Guid vaultKey, FakeMachine machine)
    {
        var vault = (await rig.Vaults.FindAsync(vaultKey, Rig.Token))!;
        var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
        var claim = (await rig.Ledger.ClaimAsync("dead", TimeSpan.FromHours(1), Rig.Token))!;
        await rig.BackupHandler.RunAsync(new(rig.Ledger, claim, rig.Time), Rig.Token);
        await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);
        Assert.Equal(JobStates.CompletedWithWarnings, (await rig.RunAsync(vault, operation)).State);
    }
}
