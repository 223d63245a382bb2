using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.Items;

public sealed class ItemProtectionTests
{
    [Fact]
    public async Task Enabling_makes_a_pending_item_a_completed_job_and_locks_the_redundancy()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("Web1", FakeDisk.New(-1, "os", 1));

        var operation = await rig.Protection.PutAsync(vault, Rig.Request(machine), Rig.Token);

        var item = await ItemAsync(rig, vault, machine);
        Assert.Equal(("iaasvmcontainerv2;lab;web1", "Web1", "DefaultPolicy", ProtectionStates.InitialPending, ""), (item.NativeName, item.FriendlyName, item.PolicyName, item.ProtectionState, item.LastBackupStatus));
        Assert.Matches("^[0-9]{17,19}$", item.DataId);
        await AssertJobAsync(rig, vault, operation, JobOperations.ConfigureBackup, JobStates.Completed);
        Assert.False(operation.FollowsJob);
        Assert.True((await rig.Vaults.FindAsync(vault.Key, Rig.Token))!.Config.IsStorageTypeLocked);
    }

    [Fact]
    public async Task A_request_that_is_given_up_after_the_item_was_made_still_has_its_job()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        using var gone = new CancellationTokenSource();

        var operation = await rig.ProtectionWith(new CancellingItems(rig.Items, gone)).PutAsync(vault, Rig.Request(machine), gone.Token);

        Assert.True(gone.IsCancellationRequested);
        await AssertJobAsync(rig, vault, operation, JobOperations.ConfigureBackup, JobStates.Completed);
    }

    [Fact]
    public async Task A_machine_of_another_vault_ends_as_a_failed_job_that_names_it()
    {
        await using var rig = await Rig.NewAsync();
        var (first, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var second = await rig.NewVaultAsync("vault2");

        var operation = await rig.Protection.PutAsync(second, Rig.Request(machine), Rig.Token);

        var job = await AssertJobAsync(rig, second, operation, JobOperations.ConfigureBackup, JobStates.Failed);
        Assert.Equal(400050, Assert.Single(job.Errors).Code);
        Assert.Contains(first.Name, job.Errors[0].Message, StringComparison.Ordinal);
        Assert.True(operation.FollowsJob);
        Assert.Null(await rig.Items.FindAsync(second.Key, Rig.NativeName(machine), Rig.Token));
    }

    [Fact]
    public async Task A_machine_of_another_location_ends_as_a_failed_job()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(location: "away");
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));

        var operation = await rig.Protection.PutAsync(vault, Rig.Request(machine), Rig.Token);

        var job = await AssertJobAsync(rig, vault, operation, JobOperations.ConfigureBackup, JobStates.Failed);
        Assert.Equal(400175, Assert.Single(job.Errors).Code);
        Assert.Empty(await rig.Items.ListAsync(vault.Key, Rig.Token));
    }

    [Fact]
    public async Task Wrong_requests_are_refused_and_change_nothing()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        var good = Rig.Request(machine);

        await RefusedAsync(BackupRefusal.PolicyNotFound, good with { PolicyName = "Gold" });
        await RefusedAsync(BackupRefusal.PolicyUnsuitable, good with { PolicyName = "HourlyLogBackup" });
        await RefusedAsync(BackupRefusal.InvalidConfigureProtection, good with { PolicyName = null });
        await RefusedAsync(BackupRefusal.InvalidConfigureProtection, good with { PolicyName = "" });
        await RefusedAsync(BackupRefusal.InvalidConfigureProtection, good with { SourceResourceId = null });
        await RefusedAsync(BackupRefusal.InvalidConfigureProtection, good with { SourceResourceId = Rig.AccountId });
        await RefusedAsync(BackupRefusal.InvalidConfigureProtection, good with { NativeName = "iaasvmcontainerv2;lab;other" });
        await RefusedAsync(BackupRefusal.ItemNotFound, Rig.Request(new FakeMachine("nowhere")));
        await RefusedAsync(BackupRefusal.ItemNotFound, good with { SourceResourceId = good.SourceResourceId!.Replace(Rig.Subscription, Guid.NewGuid().ToString(), StringComparison.Ordinal) });
        await RefusedAsync(BackupRefusal.ItemNotFound, good with { PolicyName = "", ProtectionState = ProtectionStates.Stopped });
        await RefusedAsync(BackupRefusal.ItemNotFound, good with { IsRehydrate = true });

        Assert.Empty(await rig.Items.ListAsync(vault.Key, Rig.Token));
        Assert.Empty(await rig.Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Rig.Token));

        async Task RefusedAsync(BackupRefusal refusal, ProtectionRequest request) =>
            Assert.Equal(refusal, (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.PutAsync(vault, request, Rig.Token))).Refusal);
    }

    [Fact]
    public async Task An_item_never_changes_its_machine()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var other = rig.NewMachine("web2");
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() =>
            rig.Protection.PutAsync(vault, Rig.Request(machine) with { SourceResourceId = other.Describe().ResourceId }, Rig.Token));
        Assert.Equal(BackupRefusal.InvalidConfigureProtection, refused.Refusal);
    }

    [Fact]
    public async Task Stopping_suspending_and_resuming_before_and_after_the_first_point()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));

        await StepAsync(Rig.Request(machine, "", ProtectionStates.Stopped), ProtectionStates.Stopped, "", JobOperations.DisableBackup);
        await StepAsync(Rig.Request(machine, "DefaultPolicy"), ProtectionStates.InitialPending, "DefaultPolicy", JobOperations.ConfigureBackup);
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        await StepAsync(Rig.Request(machine, "EnhancedPolicy"), ProtectionStates.Protected, "EnhancedPolicy", JobOperations.ConfigureBackup);
        await StepAsync(Rig.Request(machine, null, ProtectionStates.Suspended), ProtectionStates.Suspended, "EnhancedPolicy", JobOperations.DisableBackup);
        // From an enhanced policy there is no way back to a standard one.
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.PutAsync(vault, Rig.Request(machine, "DefaultPolicy"), Rig.Token));
        Assert.Equal(BackupRefusal.PolicyUnsuitable, refused.Refusal);
        await StepAsync(Rig.Request(machine, "", ProtectionStates.Stopped), ProtectionStates.Stopped, "", JobOperations.DisableBackup);
        await StepAsync(Rig.Request(machine, "DefaultPolicy") with { SourceResourceId = null }, ProtectionStates.Protected, "DefaultPolicy", JobOperations.ConfigureBackup);
        Assert.Single(await rig.PointsAsync(vault, machine));

        async Task StepAsync(ProtectionRequest request, string state, string policy, string operation)
        {
            var tracked = await rig.Protection.PutAsync(vault, request, Rig.Token);
            var item = await ItemAsync(rig, vault, machine);
            Assert.Equal((state, policy), (item.ProtectionState, item.PolicyName));
            await AssertJobAsync(rig, vault, tracked, operation, JobStates.Completed);
        }
    }

    [Fact]
    public async Task Disks_that_are_not_mentioned_stay_selected_as_they_were()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine, new([1], true));

        await rig.Protection.PutAsync(vault, Rig.Request(machine), Rig.Token);
        Assert.Equal([1], (await ItemAsync(rig, vault, machine)).Disks!.Luns);
        await rig.Protection.PutAsync(vault, Rig.Request(machine, disks: new([], false)), Rig.Token);
        Assert.True((await ItemAsync(rig, vault, machine)).Disks!.Selects(5));
    }

    [Fact]
    public async Task A_soft_deleted_item_keeps_its_points_and_comes_back_stopped()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);

        var deletion = await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);

        await AssertJobAsync(rig, vault, deletion!, JobOperations.DeleteBackupData, JobStates.Completed);
        var item = await ItemAsync(rig, vault, machine);
        Assert.Equal((true, 14, ProtectionStates.Stopped, "", rig.Time.GetUtcNow()), (item.IsDeleted, item.SoftDeleteDays, item.ProtectionState, item.PolicyName, item.DeletedAt!.Value));
        Assert.Single(await rig.PointsAsync(vault, machine));

        // Nothing but an undelete is taken now.
        await RefusedAsync(BackupRefusal.ItemSoftDeleted, () => rig.Protection.PutAsync(vault, Rig.Request(machine), Rig.Token));
        await RefusedAsync(BackupRefusal.ItemSoftDeleted, () => rig.Protection.PutAsync(vault, Rig.Request(machine, "", ProtectionStates.Stopped), Rig.Token));
        await RefusedAsync(BackupRefusal.ItemSoftDeleted, () => rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token));
        await RefusedAsync(BackupRefusal.ItemSoftDeleted, () => rig.Protection.DeleteAsync(vault with { Config = vault.Config with { SoftDeleteFeatureState = "Disabled" } }, Rig.NativeName(machine), Rig.Token));
        var other = await rig.NewVaultAsync("vault2");
        var elsewhere = await rig.Protection.PutAsync(other, Rig.Request(machine), Rig.Token);
        await AssertJobAsync(rig, other, elsewhere, JobOperations.ConfigureBackup, JobStates.Failed);

        var undelete = await rig.Protection.PutAsync(vault, Rig.Request(machine, null, null, rehydrate: true), Rig.Token);

        await AssertJobAsync(rig, vault, undelete, JobOperations.Undelete, JobStates.Completed);
        item = await ItemAsync(rig, vault, machine);
        Assert.Equal((false, 0, ProtectionStates.Stopped, ""), (item.IsDeleted, item.SoftDeleteDays, item.ProtectionState, item.PolicyName));
        await RefusedAsync(BackupRefusal.ItemNotSoftDeleted, () => rig.Protection.PutAsync(vault, Rig.Request(machine, null, null, rehydrate: true), Rig.Token));
        await rig.Protection.PutAsync(vault, Rig.Request(machine), Rig.Token);
        Assert.Equal(ProtectionStates.Protected, (await ItemAsync(rig, vault, machine)).ProtectionState);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_item_with_a_running_job_is_not_deleted(bool softDelete)
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: softDelete);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);

        await RefusedAsync(BackupRefusal.ItemBusy, () => rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token));

        Assert.False((await ItemAsync(rig, vault, machine)).IsDeleted);
    }

    [Fact]
    public async Task An_item_that_is_not_there_needs_no_deletion()
    {
        await using var rig = await Rig.NewAsync();
        Assert.Null(await rig.Protection.DeleteAsync(await rig.NewVaultAsync(), "iaasvmcontainerv2;lab;web1", Rig.Token));
    }

    private static async Task RefusedAsync<T>(BackupRefusal refusal, Func<Task<T>> action) =>
        Assert.Equal(refusal, (await Assert.ThrowsAsync<BackupRefusedException>(action)).Refusal);

    private static async Task<ProtectedItem> ItemAsync(Rig rig, Vault vault, FakeMachine machine) =>
        (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;

    private static async Task<Job> AssertJobAsync(Rig rig, Vault vault, AsyncOperation operation, string kind, string state)
    {
        Assert.NotNull(await rig.Operations.FindAsync(vault.Key, operation.Id, Rig.Token));
        var job = (await rig.Ledger.FindAsync(vault.Key, operation.JobId!.Value, Rig.Token))!;
        Assert.Equal((kind, state), (job.Operation, job.State));
        Assert.NotNull(job.EndedAt);
        return job;
    }

    /// <summary>Items whose caller goes away as soon as one was added.</summary>
    private sealed class CancellingItems(IItemRepository inner, CancellationTokenSource caller) : IItemRepository
    {
        public Task<ProtectedItem?> FindAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken) => inner.FindAsync(vaultKey, nativeName, cancellationToken);

        public Task<ProtectedItem?> FindAsync(Guid itemKey, CancellationToken cancellationToken) => inner.FindAsync(itemKey, cancellationToken);

        public Task<IReadOnlyList<ProtectedItem>> ListAsync(Guid vaultKey, CancellationToken cancellationToken) => inner.ListAsync(vaultKey, cancellationToken);

        public Task<IReadOnlyList<ProtectedItem>> ListAsync(Guid vaultKey, ItemQuery query, string? after, int count, CancellationToken cancellationToken) => inner.ListAsync(vaultKey, query, after, count, cancellationToken);

        public Task<ProtectedItem?> FindBySourceAsync(string sourceResourceId, CancellationToken cancellationToken) => inner.FindBySourceAsync(sourceResourceId, cancellationToken);

        public Task<IReadOnlySet<string>> ListProtectedSourcesAsync(CancellationToken cancellationToken) => inner.ListProtectedSourcesAsync(cancellationToken);

        public async Task<bool> TryAddAsync(ProtectedItem item, CancellationToken cancellationToken)
        {
            var isAdded = await inner.TryAddAsync(item, cancellationToken);
            await caller.CancelAsync();
            return isAdded;
        }

        public Task<bool> TryUpdateAsync(ProtectedItem item, CancellationToken cancellationToken) => inner.TryUpdateAsync(item, cancellationToken);

        public Task<bool> TryUpdateAsync(ProtectedItem item, BackupPolicy judged, CancellationToken cancellationToken) => inner.TryUpdateAsync(item, judged, cancellationToken);
    }
}
