using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Tests.Support;

namespace Strongroom.Backup.Tests.Lifecycle;

public sealed class ScheduledBackupTests
{
    [Fact]
    public async Task Of_all_that_was_missed_the_last_is_made_up_for_once()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        Assert.Empty(await rig.LiveAsync());
        Assert.Empty(await rig.Get<IItemAgenda>().ListDueAsync(rig.Time.GetUtcNow(), Rig.Token));

        rig.Time.Advance(TimeSpan.FromDays(5));
        var job = Assert.Single(await rig.LiveAsync());

        var due = new DateTimeOffset(2026, 11, 27, 2, 0, 0, TimeSpan.Zero);
        Assert.Equal((JobStates.Completed, due), (job.State, BackupRequest.FromJson(job.Request).DueAt));
        var point = Assert.Single(await rig.PointsAsync(vault, machine));
        Assert.Equal((due, RetentionTags.Daily, null), (point.DueAt, point.Tags, point.ExpiresAt));
        Assert.Empty(await rig.LiveAsync());
        Assert.Empty(await rig.Get<IItemAgenda>().ListDueAsync(rig.Time.GetUtcNow(), Rig.Token));
        // The next one is due to the second.
        rig.Time.SetUtcNow(due.AddDays(1).AddSeconds(-1));
        Assert.Empty(await rig.LiveAsync());
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(await rig.LiveAsync());
    }

    [Theory]
    [InlineData(ProtectionStates.Stopped)]
    [InlineData(ProtectionStates.Suspended)]
    public async Task Nothing_fires_for_an_item_whose_protection_is_stopped_and_what_was_due_then_is_not_made_up_for(string state)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "", state), Rig.Token);
        rig.Time.Advance(TimeSpan.FromDays(3));
        Assert.Empty(await rig.LiveAsync());

        await rig.Protection.PutAsync(vault, Rig.Request(machine, "life"), Rig.Token);
        Assert.Empty(await rig.LiveAsync());
        rig.Time.Advance(TimeSpan.FromDays(1));
        Assert.Single(await rig.LiveAsync());
    }

    [Fact]
    public async Task A_busy_item_is_backed_up_when_it_is_free()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        rig.Time.Advance(TimeSpan.FromDays(1));
        await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
        await rig.LifeOf().RunOnceAsync(Rig.Token);
        Assert.Single(await rig.Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Rig.Token), j => j.Operation == JobOperations.Backup);

        Assert.Equal(2, (await rig.LiveAsync()).Count);
        Assert.Single(await rig.PointsAsync(vault, machine), p => p.DueAt is not null);
    }

    [Fact]
    public async Task Schedules_start_no_job_while_enough_are_live()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, _) = await rig.ScheduledMachineAsync();
        for (var n = 2; n <= 4; n++) await rig.Protection.PutAsync(vault, Rig.Request(rig.NewMachine($"web{n}", FakeDisk.New(-1, "os", n, 1 << 16)), "life"), Rig.Token);
        rig.Time.Advance(TimeSpan.FromDays(1));
        var options = new LifecycleOptions { MaxLiveJobs = 2 };

        await rig.LifeOf(options).RunOnceAsync(Rig.Token);
        await rig.LifeOf(options).RunOnceAsync(Rig.Token);
        Assert.Equal(2, await rig.Get<IItemAgenda>().CountLiveJobsAsync(Rig.Token));
        Assert.Equal(4, (await rig.LiveAsync(options)).DistinctBy(j => j.ItemKey).Count());
    }

    [Fact]
    public async Task A_changed_policy_holds_at_once()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, _) = await rig.ScheduledMachineAsync();
        await rig.LiveAsync();
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.PutPolicyAsync(vault, 7, hour: 13);
        Assert.Empty(await rig.LiveAsync());
        rig.Time.Advance(TimeSpan.FromHours(2));
        Assert.Single(await rig.LiveAsync());
    }

    [Fact]
    public async Task A_change_of_the_retention_alone_does_not_take_a_backup_with_it_that_is_due_and_has_not_begun()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, _) = await rig.ScheduledMachineAsync();
        await rig.LiveAsync();
        rig.Time.Advance(TimeSpan.FromDays(1));
        await rig.PutPolicyAsync(vault, 9);
        await rig.PutPolicyAsync(vault, 10, weeks: 2);
        Assert.Single(await rig.LiveAsync());
        await rig.PutPolicyAsync(vault, 8);
        Assert.Empty(await rig.LiveAsync());
    }

    [Fact]
    public async Task Items_are_spread_over_the_given_time_and_each_keeps_its_place()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        var spread = TimeSpan.FromMinutes(60);
        var key = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.Key;
        var options = new LifecycleOptions { Spread = spread };
        var begins = new DateTimeOffset(2026, 11, 23, 2, 0, 0, TimeSpan.Zero) + ItemSchedule.Offset(key, spread);
        rig.Time.SetUtcNow(begins.AddSeconds(-1));
        Assert.Empty(await rig.LiveAsync(options));
        rig.Time.SetUtcNow(begins);
        Assert.Single(await rig.LiveAsync(options));
        Assert.Empty(await rig.LiveAsync(options));

        var random = new Random(7);
        var offsets = Enumerable.Range(0, 6000).Select(_ => { var b = new byte[16]; random.NextBytes(b); return ItemSchedule.Offset(new(b), spread); }).ToList();
        Assert.All(offsets, o => Assert.InRange(o, TimeSpan.Zero, spread));
        Assert.All(offsets.GroupBy(o => (int)o.TotalMinutes), g => Assert.InRange(g.Count(), 40, 200));
        Assert.Equal(TimeSpan.Zero, ItemSchedule.Offset(key, TimeSpan.Zero));
    }
}
