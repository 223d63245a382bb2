using System.Globalization;
using System.Security.Cryptography;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Items;

/// <summary>What a PUT of a protected item asks for.</summary>
/// <param name="SourceResourceId">The ARM id of the machine, or of the share's storage account; may be null where the item exists.</param>
/// <param name="PolicyName">Null: not said. Empty: no policy (stop).</param>
/// <param name="ProtectionState">Null: not said.</param>
public sealed record ProtectionRequest(
    string NativeName, string? SourceResourceId, string? PolicyName, string? ProtectionState, bool IsRehydrate, DiskSelection? Disks)
{
    /// <summary>Do it only while the item has one of these tags (<c>If-Match</c>); null: in any case.</summary>
    public string? Condition { get; init; }

    /// <summary>For what a resource guard protects.</summary>
    public GuardPass Pass { get; init; } = GuardPass.None;
}

/// <summary>Puts machines and shares under protection and takes them out: enable, change, stop, resume, undelete, delete.</summary>
public sealed class ItemProtection(
    IItemRepository items, IPolicyRepository policies, IVaultRepository vaults, IEnumerable<IItemSource> sources, IRecoveryPointRepository points,
    IJobLedger ledger, IOperationRepository operations, JobSignal signal, TimeProvider time)
{
    /// <summary>Does what a PUT asks for and answers the operation to track, which is over already.</summary>
    /// <exception cref="BackupRefusedException">The request cannot be met; nothing was changed.</exception>
    public async Task<AsyncOperation> PutAsync(Vault vault, ProtectionRequest request, CancellationToken cancellationToken)
    {
        var item = await items.FindAsync(vault.Key, request.NativeName, cancellationToken);
        Require(item, request.NativeName, request.Condition);
        if (item is not null && request.SourceResourceId is { Length: > 0 } source && !SourceOf(item.Kind).IsOf(item, source))
            throw Invalid($"sourceResourceId names another {(item.Kind == ItemKind.FileShare ? "storage account than the item is in" : "machine than the item protects")}.");

        if (request.IsRehydrate) return await UndeleteAsync(vault, item, request, cancellationToken);
        if (request.ProtectionState is ProtectionStates.Stopped or ProtectionStates.Suspended) return await StopAsync(vault, item, request, cancellationToken);
        if (string.IsNullOrEmpty(request.PolicyName))
            throw Invalid("policyId is missing. To stop protection, say protectionState \"ProtectionStopped\" as well.");

        var policy = await policies.FindAsync(vault.Key, request.PolicyName, cancellationToken)
            ?? throw NoPolicy(vault, request.PolicyName);
        if (ItemNames.KindOf(request.NativeName) is var kind && policy.Kind != kind)
            throw new BackupRefusedException(BackupRefusal.PolicyUnsuitable, $"Policy '{policy.Name}' is for {policy.BackupManagementType}, not for {kind.Noun()}s.");

        return item is null
            ? await EnableAsync(vault, request, policy, cancellationToken)
            : await ChangeAsync(vault, item, request, policy, cancellationToken);
    }

    /// <summary>Deletes an item with its data, softly where the vault says so.</summary>
    public Task<AsyncOperation?> DeleteAsync(Vault vault, string nativeName, CancellationToken cancellationToken) => DeleteAsync(vault, nativeName, null, GuardPass.None, cancellationToken);

    /// <summary>The same, only while the item has one of the tags in <paramref name="condition"/> (<c>If-Match</c>).</summary>
    public async Task<AsyncOperation?> DeleteAsync(Vault vault, string nativeName, string? condition, GuardPass pass, CancellationToken cancellationToken)
    {
        var item = await items.FindAsync(vault.Key, nativeName, cancellationToken);
        Require(item, nativeName, condition);
        if (item is null) return null;
        if (item.IsDeleted && vault.Config.IsSoftDeleteOn)
            throw new BackupRefusedException(BackupRefusal.ItemSoftDeleted, $"'{item.FriendlyName}' is soft-deleted already; its data goes when its days are over.");
        if (item.IsDeleted)
            throw new BackupRefusedException(BackupRefusal.ItemSoftDeleted, $"'{item.FriendlyName}' was deleted while soft delete was on. Undelete it, then delete it again.");

        var kept = (await points.ListAsync(item.Key, cancellationToken)).WithExpiries(await policies.FindTermsAsync(item, cancellationToken));
        VaultImmutability.RequireDeletable(vault, item, kept, time.GetUtcNow());
        pass.Require(vault, CriticalOperation.DeleteItem, item.NativeName);
        var job = NewJob(item, JobOperations.DeleteBackupData) with
        {
            Properties = item.Properties(("Number of Recovery Points", kept.Count.ToString(CultureInfo.InvariantCulture))),
        };

        if (vault.Config.IsSoftDeleteOn)
        {
            await RequireIdleAsync(item, cancellationToken);
            await UpdateAsync(item with
            {
                DeletedAt = time.GetUtcNow(),
                SoftDeleteDays = vault.Config.SoftDeleteRetentionDays,
                ProtectionState = ProtectionStates.Stopped,
                PolicyName = "",
            }, cancellationToken);
            return await RecordAsync(Completed(job));
        }

        if (!await ledger.TryAdmitAsync(job, cancellationToken)) throw Busy(item);
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, Subject = nativeName, JobId = job.Id, FollowsJob = true, StartedAt = job.StartedAt };
        await operations.AddAsync(operation, CancellationToken.None);
        signal.Raise();
        return operation;
    }

    private async Task<AsyncOperation> EnableAsync(Vault vault, ProtectionRequest request, BackupPolicy policy, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(request.SourceResourceId)) throw Invalid("sourceResourceId is missing.");
        var source = await SourceOf(ItemNames.KindOf(request.NativeName)).FindAsync(vault, request, cancellationToken);
        var item = new ProtectedItem
        {
            Key = Guid.NewGuid(),
            VaultKey = vault.Key,
            NativeName = request.NativeName,
            FriendlyName = source.FriendlyName,
            SourceResourceId = source.ResourceId,
            PolicyName = policy.Name,
            ProtectionState = ProtectionStates.InitialPending,
            Disks = request.Disks,
            DataId = RandomNumberGenerator.GetInt32(int.MaxValue / 2, int.MaxValue).ToString(CultureInfo.InvariantCulture) + RandomNumberGenerator.GetInt32(10_000_000, 99_999_999).ToString(CultureInfo.InvariantCulture),
            CreatedAt = time.GetUtcNow(),
            ScheduledUntil = time.GetUtcNow(),
        };
        var job = NewJob(item, JobOperations.ConfigureBackup) with { Properties = item.Properties(("Policy Name", policy.Name)) };

        // Azure accepts the request in these two cases and lets the job fail.
        if (!source.Location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase))
            return await RecordAsync(Failed(job, JobErrors.LocationMismatch(item, source, vault)));
        if (!await items.TryAddAsync(item, cancellationToken))
        {
            // The policy may have been deleted since it was read.
            if (await policies.FindAsync(vault.Key, policy.Name, cancellationToken) is null) throw NoPolicy(vault, policy.Name);
            return await RecordAsync(Failed(job, await ElsewhereAsync(item, cancellationToken)));
        }

        if (!vault.Config.IsStorageTypeLocked)
            await LockStorageTypeAsync(vault.Key, CancellationToken.None);
        return await RecordAsync(Completed(job));
    }

    private async Task<AsyncOperation> ChangeAsync(Vault vault, ProtectedItem item, ProtectionRequest request, BackupPolicy policy, CancellationToken cancellationToken)
    {
        if (item.IsDeleted) throw SoftDeleted(item);
        if (await policies.FindAsync(vault.Key, item.PolicyName, cancellationToken) is { } before)
        {
            if (before.IsEnhanced && !policy.IsEnhanced)
                throw new BackupRefusedException(BackupRefusal.PolicyUnsuitable, $"'{item.FriendlyName}' is under the enhanced policy '{before.Name}': it cannot go back to a standard one. Choose a policy of policyType V2.");
            VaultImmutability.RequireNoShorter(vault, before, policy);
            request.Pass.RequirePolicy(vault, before, policy, CriticalOperation.UpdateItem);
        }

        var hasPoints = item.LastRecoveryPointTime is not null;
        var changed = item with
        {
            PolicyName = policy.Name,
            ProtectionState = hasPoints ? ProtectionStates.Protected : ProtectionStates.InitialPending,
            Disks = request.Disks ?? item.Disks,
            // What was due before the item had this schedule was due to no one. An item that keeps its schedule loses nothing of it.
            ScheduledUntil = item.IsBackedUp && item.PolicyName.Equals(policy.Name, StringComparison.OrdinalIgnoreCase) ? item.ScheduledUntil : time.GetUtcNow(),
        };
        // A policy that keeps less may have taken the name of the one that was allowed.
        if (!await items.TryUpdateAsync(changed, policy, cancellationToken)) throw Changed(item);
        var job = NewJob(item, JobOperations.ConfigureBackup) with { Properties = item.Properties(("Policy Name", policy.Name)) };
        return await RecordAsync(Completed(job));
    }

    private async Task<AsyncOperation> StopAsync(Vault vault, ProtectedItem? item, ProtectionRequest request, CancellationToken cancellationToken)
    {
        if (item is null) throw NotFound(request, vault);
        if (item.IsDeleted) throw SoftDeleted(item);
        if (item.ProtectionState != request.ProtectionState) request.Pass.Require(vault, CriticalOperation.StopProtection, item.NativeName);
        // "Retain as per policy" needs the policy to stay; "retain forever" has none.
        var suspended = request.ProtectionState == ProtectionStates.Suspended;
        await UpdateAsync(item with { ProtectionState = request.ProtectionState!, PolicyName = suspended ? item.PolicyName : "" }, cancellationToken);
        var job = NewJob(item, JobOperations.DisableBackup) with { Properties = item.Properties() };
        return await RecordAsync(Completed(job));
    }

    private async Task<AsyncOperation> UndeleteAsync(Vault vault, ProtectedItem? item, ProtectionRequest request, CancellationToken cancellationToken)
    {
        if (item is null) throw NotFound(request, vault);
        if (!item.IsDeleted) throw new BackupRefusedException(BackupRefusal.ItemNotSoftDeleted, $"'{item.FriendlyName}' is not soft-deleted.");
        // Its time may have come, and the job that purges it be at work.
        await RequireIdleAsync(item, cancellationToken);
        await UpdateAsync(item with { DeletedAt = null, SoftDeleteDays = 0, ProtectionState = ProtectionStates.Stopped, PolicyName = "" }, cancellationToken);
        var job = NewJob(item, JobOperations.Undelete) with { Properties = item.Properties(("Undelete flag", "True")) };
        return await RecordAsync(Completed(job));
    }

    private async Task<JobError> ElsewhereAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        var other = await items.FindBySourceAsync(item.SourceResourceId, cancellationToken);
        var vault = other is null ? null : await vaults.FindAsync(other.VaultKey, cancellationToken);
        return JobErrors.ProtectedElsewhere(item, vault?.Name);
    }

    private IItemSource SourceOf(ItemKind kind) => sources.Single(s => s.Kind == kind);

    private async Task LockStorageTypeAsync(Guid vaultKey, CancellationToken cancellationToken)
    {
        for (var tries = 0; tries < 5; tries++)
        {
            var vault = await vaults.FindAsync(vaultKey, cancellationToken);
            if (vault is null || vault.Config.IsStorageTypeLocked) return;
            if (await vaults.TryUpdateAsync(vault with { Config = vault.Config with { IsStorageTypeLocked = true } }, vault.ChangedAt, cancellationToken)) return;
        }
    }

    private async Task RequireIdleAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        if (await ledger.FindLiveAsync(item.Key, cancellationToken) is not null) throw Busy(item);
    }

    private async Task UpdateAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        if (!await items.TryUpdateAsync(item, cancellationToken)) throw Changed(item);
    }

    private async Task<AsyncOperation> RecordAsync(Job job)
    {
        // What the job tells of has happened: it is written whatever becomes of the request.
        await ledger.RecordAsync(job, CancellationToken.None);
        var operation = new AsyncOperation
        {
            Id = Guid.NewGuid(),
            VaultKey = job.VaultKey,
            Subject = job.NativeName,
            JobId = job.Id,
            FollowsJob = job.State == JobStates.Failed,
            StartedAt = job.StartedAt,
        };
        await operations.AddAsync(operation, CancellationToken.None);
        return operation;
    }

    private Job NewJob(ProtectedItem item, string operation) => JobFactory.New(item, operation, time.GetUtcNow());

    private Job Completed(Job job) => job with { State = JobStates.Completed, EndedAt = time.GetUtcNow() };

    private Job Failed(Job job, JobError error) => job with { State = JobStates.Failed, EndedAt = time.GetUtcNow(), Errors = [error] };

    private static void Require(ProtectedItem? item, string nativeName, string? condition)
    {
        if (!ProtectedItem.Matches(item, condition))
            throw new BackupRefusedException(BackupRefusal.PreconditionFailed, $"'{nativeName}' is not as the request expects it.", nativeName);
    }

    private static BackupRefusedException Changed(ProtectedItem item) =>
        new(BackupRefusal.Conflict, $"'{item.FriendlyName}' or its policy was changed by another request at the same moment. Try again.");

    private static BackupRefusedException Invalid(string message) => new(BackupRefusal.InvalidConfigureProtection, message);

    private static BackupRefusedException NoPolicy(Vault vault, string name) =>
        new(BackupRefusal.PolicyNotFound, $"Policy '{name}' does not exist in vault '{vault.Name}'.", name);

    private static BackupRefusedException Busy(ProtectedItem item) =>
        new(BackupRefusal.ItemBusy, $"Another job of '{item.FriendlyName}' is running. Wait for it or cancel it.", item.FriendlyName);

    private static BackupRefusedException SoftDeleted(ProtectedItem item) =>
        new(BackupRefusal.ItemSoftDeleted, $"'{item.FriendlyName}' is soft-deleted. Undelete it first.", item.FriendlyName);

    private static BackupRefusedException NotFound(ProtectionRequest request, Vault vault) =>
        new(BackupRefusal.ItemNotFound, $"'{request.NativeName}' is not protected in vault '{vault.Name}'.");
}
