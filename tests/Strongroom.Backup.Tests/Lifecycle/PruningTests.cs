using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Lifecycle;

public sealed class PruningTests
{
    [Fact]
    public async Task A_locked_point_stays_listed_until_the_lock_is_over()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        var first = await LiveDaysAsync(rig, vault, machine, 1);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        await store.Governance.LockAsync(new(first), rig.Time.GetUtcNow().AddDays(20), Rig.Token);

        await LiveDaysAsync(rig, vault, machine, 18);
        Assert.Contains(await rig.PointsAsync(vault, machine), p => p.SnapshotId == first);
        Assert.NotNull(store.Find(new(first)));
        await LiveDaysAsync(rig, vault, machine, 4);
        Assert.DoesNotContain(await rig.PointsAsync(vault, machine), p => p.SnapshotId == first);
        Assert.Null(store.Find(new(first)));
    }

    [Fact]
    public async Task A_store_that_does_not_answer_keeps_points_and_backups_go_on_when_it_does()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        await LiveDaysAsync(rig, vault, machine, 3);
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "", ProtectionStates.Suspended), Rig.Token);
        rig.Time.Advance(TimeSpan.FromDays(20));
        rig.Stores.Failure = new IOException("The storage does not answer.");
        await rig.LiveAsync();
        Assert.Equal(3, (await rig.PointsAsync(vault, machine)).Count);

        rig.Stores.Failure = null;
        await rig.LiveAsync();
        Assert.Equal(3, (await rig.PointsAsync(vault, machine)).Count);
        rig.Time.Advance(PointPruning.FailedRetry);
        await rig.LiveAsync();
        // The newest stays.
        Assert.Single(await rig.PointsAsync(vault, machine));
    }

    [Fact]
    public async Task A_deletion_that_was_cut_off_is_finished_from_its_note_and_what_is_listed_is_left_alone()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        await LiveDaysAsync(rig, vault, machine, 3);
        var (item, points) = (await ItemAsync(rig, vault, machine), await rig.PointsAsync(vault, machine));
        Assert.True(await rig.Get<IItemAgenda>().TryUnlistAsync(item with { DoomedSnapshots = [points[2].SnapshotId, points[1].SnapshotId] }, [points[2].Name], Rig.Token));

        await rig.LiveAsync();

        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        Assert.Null(store.Find(new(points[2].SnapshotId)));
        Assert.NotNull(store.Find(new(points[1].SnapshotId)));
        Assert.Empty((await ItemAsync(rig, vault, machine)).DoomedSnapshots);
    }

    [Fact]
    public async Task Nothing_is_pruned_while_a_job_of_the_item_is_live()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        await LiveDaysAsync(rig, vault, machine, 3);
        rig.Time.Advance(TimeSpan.FromDays(30));
        await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        Assert.Equal(3, (await rig.PointsAsync(vault, machine)).Count);
        var (item, points) = (await ItemAsync(rig, vault, machine), await rig.PointsAsync(vault, machine));
        Assert.False(await rig.Get<IItemAgenda>().TryUnlistAsync(item, [.. points.Select(p => p.Name)], Rig.Token));
        Assert.Equal(3, (await rig.PointsAsync(vault, machine)).Count);
    }

    [Fact]
    public async Task A_purge_that_failed_is_tried_again_the_next_day_and_excludes_an_undeletion()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        var id = await LiveDaysAsync(rig, vault, machine, 1);
        await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);
        await (await rig.Stores.OpenAsync(vault.Key, Rig.Token)).Governance.LockAsync(new(id), rig.Time.GetUtcNow().AddDays(15), Rig.Token);

        rig.Time.Advance(TimeSpan.FromDays(14) - TimeSpan.FromSeconds(1));
        Assert.Null(await PurgeAsync(rig, vault, machine));
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(JobStates.Failed, (await PurgeAsync(rig, vault, machine))!.State);
        Assert.Null(await PurgeAsync(rig, vault, machine));
        Assert.Single(await rig.PointsAsync(vault, machine));

        rig.Time.Advance(TimeSpan.FromDays(1.1));
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.PutAsync(vault, Rig.Request(machine, rehydrate: true), Rig.Token));
        Assert.Equal(BackupRefusal.ItemBusy, refused.Refusal);
        await rig.LiveAsync();
        Assert.Empty(await rig.Items.ListAsync(vault.Key, Rig.Token));
        var bytes = 0L;
        await foreach (var pack in rig.Stores.BackendOf(vault.Key).ListAsync("packs/", Rig.Token)) bytes += pack.LengthBytes;
        Assert.Equal(0, bytes);
    }

    [Fact]
    public async Task An_immutable_vault_keeps_scheduled_points_as_their_policy_says_and_its_policies_do_not_become_shorter()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        vault = (await rig.Lifecycle.UpdateAsync(vault, v => v with { Config = v.Config with { Immutability = "Locked" } }, Rig.Token))!;
        var id = await LiveDaysAsync(rig, vault, machine, 1);
        var point = Assert.Single(await rig.PointsAsync(vault, machine));
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        // Locked by its very commit, whose time is not known before.
        Assert.InRange(point.Time.AddDays(7) - store.Find(new(id))!.LockedUntil!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Equal(BackupRefusal.Immutable, (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token))).Refusal);

        await rig.PutPolicyAsync(vault, 9);
        Assert.Equal(BackupRefusal.Immutable, (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.PutPolicyAsync(vault, 8))).Refusal);
        await rig.Rules.FollowAsync(vault.Key, null, Rig.Token);
        Assert.Equal(point.Time.AddDays(9), store.Find(new(id))!.LockedUntil);

        rig.Time.Advance(TimeSpan.FromDays(10));
        await rig.LiveAsync();
        Assert.DoesNotContain(await rig.PointsAsync(vault, machine), p => p.SnapshotId == id);
    }

    /// <summary>A pass, and its purge by a worker.</summary>
    private static async Task<Job?> PurgeAsync(Rig rig, Vault vault, FakeMachine machine)
    {
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        if (await rig.Ledger.FindLiveAsync((await ItemAsync(rig, vault, machine)).Key, Rig.Token) is not { } job) return null;
        await using var worker = await rig.StartWorkerAsync();
        return await rig.EndOfAsync(vault, job.Id);
    }

    /// <summary>Lives for some days and answers the newest point's snapshot.</summary>
    private static async Task<Guid> LiveDaysAsync(Rig rig, Vault vault, FakeMachine machine, int days)
    {
        for (var day = 0; day < days; day++)
        {
            rig.Time.Advance(TimeSpan.FromDays(1));
            await rig.LiveAsync();
        }

        return (await rig.PointsAsync(vault, machine))[0].SnapshotId;
    }

    private static async Task<ProtectedItem> ItemAsync(Rig rig, Vault vault, FakeMachine machine) => (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
}
