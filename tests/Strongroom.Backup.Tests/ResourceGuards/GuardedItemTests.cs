using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.ResourceGuards;

/// <summary>Items and policies of a vault under a resource guard.</summary>
public sealed class GuardedItemTests
{
    private const string Guard = "/subscriptions/s/resourceGroups/safe/providers/Microsoft.DataProtection/resourceGuards/guard1";

    [Theory]
    [InlineData(ProtectionStates.Stopped)]
    [InlineData(ProtectionStates.Suspended)]
    public async Task Backups_are_not_stopped_without_the_guard(string state)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await GuardedMachineAsync(rig);
        var stop = Rig.Request(machine, "", state);

        await RefusedAsync(() => rig.Protection.PutAsync(vault, stop, Rig.Token));
        Assert.Equal(ProtectionStates.InitialPending, await StateAsync(rig, vault, machine));
        await rig.Protection.PutAsync(vault, stop with { Pass = Pass(CriticalOperation.StopProtection) }, Rig.Token);
        Assert.Equal(state, await StateAsync(rig, vault, machine));
        // Nothing stops any more.
        await rig.Protection.PutAsync(vault, stop, Rig.Token);
        // Going on is not critical.
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "life"), Rig.Token);
        Assert.Equal(ProtectionStates.InitialPending, await StateAsync(rig, vault, machine));
    }

    [Fact]
    public async Task Backup_data_is_deleted_only_where_that_was_unlocked()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await GuardedMachineAsync(rig);
        var native = Rig.NativeName(machine);

        await RefusedAsync(() => rig.Protection.DeleteAsync(vault, native, Rig.Token));
        await RefusedAsync(() => rig.Protection.DeleteAsync(vault with { Guard = vault.Guard!.Unlock(CriticalOperation.DeleteItem, "another", rig.Time.GetUtcNow()) }, native, null, Now(rig), Rig.Token));
        Assert.False((await rig.Items.FindAsync(vault.Key, native, Rig.Token))!.IsDeleted);

        vault = vault with { Guard = vault.Guard!.Unlock(CriticalOperation.DeleteItem, native, rig.Time.GetUtcNow()) };
        rig.Time.Advance(VaultGuard.UnlockedFor);
        await RefusedAsync(() => rig.Protection.DeleteAsync(vault, native, null, Now(rig), Rig.Token));
        vault = vault with { Guard = vault.Guard.Unlock(CriticalOperation.DeleteItem, native, rig.Time.GetUtcNow()) };
        await rig.Protection.DeleteAsync(vault, native, null, Now(rig), Rig.Token);
        Assert.True((await rig.Items.FindAsync(vault.Key, native, Rig.Token))!.IsDeleted);
        await rig.Protection.PutAsync(vault, Rig.Request(machine, rehydrate: true), Rig.Token);
        Assert.Equal(ProtectionStates.Stopped, await StateAsync(rig, vault, machine));
    }

    [Fact]
    public async Task A_policy_does_not_become_weaker_and_an_item_gets_no_weaker_one_without_the_guard()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await GuardedMachineAsync(rig);
        await rig.PutPolicyAsync(vault, 29, weeks: 10, name: "less");
        await rig.PutPolicyAsync(vault, 31, weeks: 10, name: "more");
        var administration = new PolicyAdministration(rig.Policies, rig.Time);
        var less = (await rig.Policies.FindAsync(vault.Key, "less", Rig.Token))!.Properties;

        await RefusedAsync(() => administration.PutAsync(vault, "life", (System.Text.Json.Nodes.JsonObject)less.DeepClone(), Rig.Token));
        await RefusedAsync(() => administration.PutAsync(vault, "life", (System.Text.Json.Nodes.JsonObject)less.DeepClone(), Pass(CriticalOperation.UpdateItem), Rig.Token));
        await RefusedAsync(() => rig.Protection.PutAsync(vault, Rig.Request(machine, "less"), Rig.Token));
        await RefusedAsync(() => rig.Protection.PutAsync(vault, Rig.Request(machine, "less") with { Pass = Pass(CriticalOperation.UpdatePolicy) }, Rig.Token));
        Assert.Equal(30, PolicyTerms.Read((await rig.Policies.FindAsync(vault.Key, "life", Rig.Token))!).Retention.Daily!.Days);

        await rig.Protection.PutAsync(vault, Rig.Request(machine, "more"), Rig.Token);
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "less") with { Pass = Pass(CriticalOperation.UpdateItem) }, Rig.Token);
        Assert.Equal("less", (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.PolicyName);
        await administration.PutAsync(vault, "life", (System.Text.Json.Nodes.JsonObject)less.DeepClone(), Pass(CriticalOperation.UpdatePolicy), Rig.Token);
        Assert.Equal(29, PolicyTerms.Read((await rig.Policies.FindAsync(vault.Key, "life", Rig.Token))!).Retention.Daily!.Days);
    }

    [Fact]
    public async Task An_item_gets_no_policy_that_became_another_while_it_was_judged()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await GuardedMachineAsync(rig);
        await rig.PutPolicyAsync(vault, 29, weeks: 10, name: "less");
        var pass = Pass(CriticalOperation.UpdateItem, () => rig.PutPolicyAsync(vault with { Guard = null }, 7, name: "less"));

        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.PutAsync(vault, Rig.Request(machine, "less") with { Pass = pass }, Rig.Token));

        Assert.Equal(BackupRefusal.Conflict, refused.Refusal);
        Assert.Equal("life", (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.PolicyName);
    }

    [Fact]
    public async Task A_policy_that_became_another_while_it_was_judged_is_judged_again()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, _) = await GuardedMachineAsync(rig);
        await rig.PutPolicyAsync(vault, 29, weeks: 10, name: "less");
        var less = (await rig.Policies.FindAsync(vault.Key, "less", Rig.Token))!.Properties;
        var times = 0;
        var pass = Pass(CriticalOperation.UpdatePolicy, () => times++ == 0 ? rig.PutPolicyAsync(vault, 100) : throw new InvalidOperationException("again"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => new PolicyAdministration(rig.Policies, rig.Time).PutAsync(vault, "life", less, pass, Rig.Token));

        Assert.Equal(100, PolicyTerms.Read((await rig.Policies.FindAsync(vault.Key, "life", Rig.Token))!).Retention.Daily!.Days);
    }

    private static async Task<(Vault Vault, FakeMachine Machine)> GuardedMachineAsync(Rig rig)
    {
        var (vault, machine) = await rig.ScheduledMachineAsync(days: 30);
        return (vault with { Guard = new(Guard, rig.Time.GetUtcNow()) }, machine);
    }

    private static GuardPass Now(Rig rig) => new() { Now = rig.Time.GetUtcNow() };

    private static GuardPass Pass(CriticalOperation operation) => new() { Requests = [$"{Guard}/{operation.RequestType}/default"], RequireRight = (_, _) => { } };

    /// <summary>A pass that passes, and what somebody else does meanwhile.</summary>
    private static GuardPass Pass(CriticalOperation operation, Func<Task> meanwhile) =>
        new() { Requests = Pass(operation).Requests, RequireRight = (_, _) => Task.Run(meanwhile).GetAwaiter().GetResult() };

    private static async Task<string> StateAsync(Rig rig, Vault vault, FakeMachine machine) => (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.ProtectionState;

    private static async Task RefusedAsync(Func<Task> action) =>
        Assert.Equal(BackupRefusal.GuardRequestMissing, (await Assert.ThrowsAsync<BackupRefusedException>(action)).Refusal);
}
