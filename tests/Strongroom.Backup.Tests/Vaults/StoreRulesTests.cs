using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Vaults;

public sealed class StoreRulesTests
{
    [Fact]
    public async Task An_immutable_vault_keeps_backup_data_that_has_not_expired()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine, rig.Time.GetUtcNow().AddDays(10));
        vault = await SetAsync(rig, vault, new(null, null, null, "Unlocked"));

        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token));
        Assert.Equal(BackupRefusal.Immutable, refused.Refusal);
        Assert.False((await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.IsDeleted);

        rig.Time.Advance(TimeSpan.FromDays(10));
        await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);
        Assert.True((await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.IsDeleted);
    }

    [Theory]
    [InlineData(29, true)]
    [InlineData(30, false)]
    [InlineData(31, false)]
    public async Task An_item_of_an_immutable_vault_goes_to_no_policy_that_keeps_less(int days, bool isRefused)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var policy = (await rig.Policies.FindAsync(vault.Key, "DefaultPolicy", Rig.Token))!;
        var other = (System.Text.Json.Nodes.JsonObject)policy.Properties.DeepClone();
        other["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"] = days;
        Assert.True(await rig.Policies.TryPutAsync(policy with { Name = "other", Properties = other }, null, Rig.Token));
        var request = Rig.Request(machine, policy: "other");

        var immutable = await SetAsync(rig, vault, new(null, null, null, "Unlocked"));
        if (!isRefused) Assert.NotNull(await rig.Protection.PutAsync(immutable, request, Rig.Token));
        else Assert.Equal(BackupRefusal.Immutable, (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.PutAsync(immutable, request, Rig.Token))).Refusal);
        Assert.Equal(isRefused ? "DefaultPolicy" : "other", (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!.PolicyName);
        Assert.NotNull(await rig.Protection.PutAsync(await SetAsync(rig, immutable, new(null, null, null, "Disabled")), request, Rig.Token));
    }

    [Fact]
    public async Task Days_of_immutability_hold_beyond_the_expiry()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine, rig.Time.GetUtcNow().AddDays(1));
        vault = await SetAsync(rig, vault, new(null, null, null, "Unlocked", 30));
        rig.Time.Advance(TimeSpan.FromDays(29));
        await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token));
        rig.Time.Advance(TimeSpan.FromDays(2));
        Assert.NotNull(await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token));
    }

    [Fact]
    public async Task A_locked_vault_locks_its_points_in_the_store_and_nothing_takes_that_back()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var (first, second) = (rig.Time.GetUtcNow().AddDays(10), rig.Time.GetUtcNow().AddDays(20));
        await rig.BackUpAsync(vault, machine, first);
        vault = await SetAsync(rig, vault, new(null, null, null, "Unlocked"));
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        Assert.Equal(Immutability.Unlocked, store.Governance.Policy.Immutability);
        Assert.Null(Assert.Single(store.Snapshots).LockedUntil);

        vault = await SetAsync(rig, vault, new(null, null, null, "Locked"));
        Assert.Equal(Immutability.Locked, store.Governance.Policy.Immutability);
        Assert.Equal(first, Assert.Single(store.Snapshots).LockedUntil);

        // A later backup is locked by its very commit.
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine, second)).State);
        Assert.Equal([first, second], store.Snapshots.Select(s => s.LockedUntil!.Value).Order());
        foreach (var snapshot in store.Snapshots)
            Assert.Equal(StoreErrorKind.Locked, (await Assert.ThrowsAsync<StoreException>(() => store.DeleteSnapshotAsync(snapshot.Id, Rig.Token))).Kind);
        await Assert.ThrowsAsync<StoreException>(() => store.Governance.SetPolicyAsync(new(), Rig.Token));
    }

    [Fact]
    public async Task What_was_deleted_before_is_not_locked()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine, rig.Time.GetUtcNow().AddDays(100));
        await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);
        vault = await SetAsync(rig, await SetAsync(rig, vault, new(null, null, null, "Unlocked")), new(null, null, null, "Locked"));
        Assert.Null(Assert.Single((await rig.Stores.OpenAsync(vault.Key, Rig.Token)).Snapshots).LockedUntil);
    }

    [Fact]
    public async Task A_store_that_does_not_answer_follows_with_the_maintenance()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine, rig.Time.GetUtcNow().AddDays(10));
        rig.Stores.Failure = new StoreException(StoreErrorKind.Io, "The storage does not answer.");
        var before = vault.Config;
        vault = (await rig.Lifecycle.UpdateAsync(vault, v => v with { Config = v.Config with { Immutability = "Locked" } }, Rig.Token))!;
        var why = await rig.Rules.TryFollowAsync(vault.Key, before, Rig.Token);
        Assert.Contains("The storage does not answer.", why, StringComparison.Ordinal);

        rig.Stores.Failure = null;
        using var maintenance = new VaultMaintenance(rig.Vaults, rig.Points, rig.Stores, rig.Rules, new(), rig.Time, NullLogger<VaultMaintenance>.Instance);
        await maintenance.RunOnceAsync(Rig.Token);

        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        Assert.Equal(Immutability.Locked, store.Governance.Policy.Immutability);
        Assert.NotNull(Assert.Single(store.Snapshots).LockedUntil);
    }

    [Fact]
    public async Task A_store_is_born_with_what_its_vault_asks_for()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await SetAsync(rig, await rig.NewVaultAsync(), new("AlwaysON", 20, null, "Unlocked", 7));
        await using var stores = new VaultStores(rig.Places, rig.Key, rig.Vaults, rig.Points, new() { GuardsClock = false }, rig.Time, NullLogger<VaultStores>.Instance);
        var policy = (await stores.OpenAsync(vault.Key, Rig.Token)).Governance.Policy;
        Assert.Equal(new() { SoftDeleteDays = 20, IsSoftDeleteAlwaysOn = true, Immutability = Immutability.Unlocked, MinimumRetentionDays = 7 }, policy);
    }

    [Fact]
    public void The_server_takes_back_what_it_asked_for_and_nothing_that_the_operator_set()
    {
        var (off, on) = (new VaultConfig(), new VaultConfig { Immutability = "Unlocked", ImmutabilityDays = 30 });
        var followed = StorePolicies.Next(new(), off, on);
        Assert.Equal(new() { Immutability = Immutability.Unlocked, MinimumRetentionDays = 30 }, followed);
        Assert.Equal(new(), StorePolicies.Next(followed, on, off));

        var operators = new VaultPolicy { SoftDeleteDays = 5, MinimumRetentionDays = 90, Immutability = Immutability.Locked };
        Assert.Equal(operators, StorePolicies.Next(operators, off, on));
        Assert.Equal(operators, StorePolicies.Next(operators, on, off));
        // Where it is not known what was passed on before, nothing becomes weaker.
        Assert.Equal(followed, StorePolicies.Next(followed, null, off));
    }

    [Fact]
    public void A_vault_made_again_from_its_store_is_as_immutable_as_the_store()
    {
        var locked = new VaultPolicy { Immutability = Immutability.Locked, MinimumRetentionDays = 9, IsSoftDeleteAlwaysOn = true, SoftDeleteDays = 40 };
        Assert.Equal(new() { Immutability = "Locked", ImmutabilityDays = 9, SoftDeleteFeatureState = "AlwaysON", SoftDeleteRetentionDays = 40 }, StorePolicies.Learn(new(), locked));
        Assert.Equal(new() { SoftDeleteFeatureState = "Disabled" }, StorePolicies.Learn(new() { SoftDeleteFeatureState = "Disabled" }, new() { SoftDeleteDays = 3, MinimumRetentionDays = 4 }));
    }

    private static async Task<Vault> SetAsync(Rig rig, Vault vault, SecurityChange change)
    {
        VaultConfig? before = null;
        var changed = await rig.Lifecycle.UpdateAsync(vault, existing =>
        {
            before = existing.Config;
            return existing with { Config = VaultSecurity.Change(existing.Config, change, isNew: false) };
        }, Rig.Token);
        Assert.Null(await rig.Rules.TryFollowAsync(vault.Key, before, Rig.Token));
        return changed!;
    }
}
