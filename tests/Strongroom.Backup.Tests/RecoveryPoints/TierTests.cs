using Strongroom.Backup.Jobs;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.RecoveryPoints;

/// <summary>For how long a recovery point counts as instantly restorable, and when it is said to expire.</summary>
public sealed class TierTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_point_leaves_the_instant_tier_when_the_days_of_its_policy_are_over(int days)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync(days: 9);
        await SetInstantDaysAsync(rig, vault, days);
        await rig.BackUpAsync(vault, machine);
        rig.Time.Advance(TimeSpan.FromDays(days) - TimeSpan.FromTicks(1));
        Assert.True((await ShownAsync(rig, vault, machine)).IsInstant);
        rig.Time.Advance(TimeSpan.FromTicks(1));
        var over = await ShownAsync(rig, vault, machine);
        Assert.Equal((false, true), (over.IsInstant, over.IsInVault));
    }

    [Fact]
    public async Task A_changed_policy_holds_for_points_that_are_there_and_without_one_they_have_the_normal_days()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync(days: 9);
        await SetInstantDaysAsync(rig, vault, 1);
        await rig.BackUpAsync(vault, machine);
        rig.Time.Advance(TimeSpan.FromDays(1));
        Assert.False((await ShownAsync(rig, vault, machine)).IsInstant);
        await SetInstantDaysAsync(rig, vault, 3);
        Assert.True((await ShownAsync(rig, vault, machine)).IsInstant);
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "", "ProtectionStopped"), Rig.Token);
        Assert.True((await ShownAsync(rig, vault, machine)).IsInstant);
        rig.Time.Advance(TimeSpan.FromDays(ListedPoint.InstantDaysWithoutPolicy - 1));
        Assert.False((await ShownAsync(rig, vault, machine)).IsInstant);
    }

    [Fact]
    public async Task A_point_tells_when_the_policy_as_it_is_lets_it_go()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync(days: 7);
        // 02:00 of the next day.
        rig.Time.Advance(TimeSpan.FromHours(16));
        var job = Assert.Single(await rig.LiveAsync());
        Assert.Equal((JobStates.Completed, false), (job.State, job.IsUserTriggered));
        var scheduled = await ShownAsync(rig, vault, machine);
        Assert.Equal(scheduled.Time.AddDays(7), scheduled.ExpiresAt);
        await rig.PutPolicyAsync(vault, 9);
        Assert.Equal(scheduled.Time.AddDays(9), (await ShownAsync(rig, vault, machine)).ExpiresAt);

        Assert.True((await rig.BackUpAsync(vault, machine)).IsUserTriggered);
        var onDemand = await ShownAsync(rig, vault, machine);
        Assert.Equal(onDemand.Time.AddDays(RetentionEvaluation.OnDemandDays), onDemand.ExpiresAt);
        var until = rig.Time.GetUtcNow().AddDays(3);
        await rig.BackUpAsync(vault, machine, until);
        Assert.Equal(until, (await ShownAsync(rig, vault, machine)).ExpiresAt);

        // Without a policy only what was asked for goes.
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "", "ProtectionStopped"), Rig.Token);
        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        Assert.Equal([until, null, null], (await rig.Listing.ListAsync(item, null, null, null, 9, Rig.Token)).Select(p => p.ExpiresAt));
    }

    private static async Task SetInstantDaysAsync(Rig rig, Vault vault, int days)
    {
        var properties = (await rig.Policies.FindAsync(vault.Key, "life", Rig.Token))!.Properties;
        properties["instantRpRetentionRangeInDays"] = days;
        await new PolicyAdministration(rig.Policies, rig.Time).PutAsync(vault, "life", properties, Rig.Token);
    }

    /// <summary>The newest point.</summary>
    private static async Task<ListedPoint> ShownAsync(Rig rig, Vault vault, FakeMachine machine)
    {
        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        return (await rig.Listing.ListAsync(item, null, null, null, 1, Rig.Token))[0];
    }
}
