using System.Collections.Immutable;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Items;

/// <summary>Azure's protection states that an item goes through.</summary>
public static class ProtectionStates
{
    /// <summary>Protected, but no backup has succeeded yet ("initial replica pending").</summary>
    public const string InitialPending = "IRPending";
    public const string Protected = "Protected";

    /// <summary>No more backups; every recovery point is kept.</summary>
    public const string Stopped = "ProtectionStopped";

    /// <summary>No more backups; recovery points expire as the policy says, but never the last.</summary>
    public const string Suspended = "BackupsSuspended";
}

/// <summary>Which disks of a machine are backed up, by LUN.</summary>
/// <param name="Luns">Data disks' LUNs; the operating system's disk is never in the list.</param>
/// <param name="IsInclusion">True: only these (and the operating system's disk); false: all but these.</param>
public sealed record DiskSelection(ImmutableArray<int> Luns, bool IsInclusion)
{
    /// <summary>Every disk.</summary>
    public static DiskSelection All { get; } = new([], false);

    /// <summary>Whether nothing is excluded.</summary>
    public bool IsAll => Luns.IsEmpty && !IsInclusion;

    public bool Selects(int lun) => lun < 0 || Luns.Contains(lun) == IsInclusion;
}

/// <summary>A virtual machine or a file share under protection in a vault.</summary>
public sealed record ProtectedItem
{
    public required Guid Key { get; init; }
    public required Guid VaultKey { get; init; }

    /// <summary>As <see cref="ItemNames"/> has it; container and item are named after it.</summary>
    public required string NativeName { get; init; }

    /// <summary>The machine's or the share's name in its owner's spelling.</summary>
    public required string FriendlyName { get; init; }

    /// <summary>The machine's or the share's ARM id in its owner's spelling.</summary>
    public required string SourceResourceId { get; init; }

    /// <summary>Empty when protection is stopped.</summary>
    public string PolicyName { get; init => field = value ?? ""; } = "";

    public required string ProtectionState { get; init; }

    /// <summary><c>Completed</c>, <c>CompletedWithWarnings</c>, <c>Failed</c> or empty before the first backup.</summary>
    public string LastBackupStatus { get; init => field = value ?? ""; } = "";
    public DateTimeOffset? LastBackupTime { get; init; }
    public DateTimeOffset? LastRecoveryPointTime { get; init; }

    /// <summary>Why the last backup failed, or what it left out; told of while <see cref="LastBackupStatus"/> says so.</summary>
    public JobError? LastBackupError { get; init; }

    public bool IsFailing => LastBackupStatus == "Failed";

    public DiskSelection? Disks { get; init; }

    /// <summary>True while an intent to protect the machine is kept (<c>backupProtectionIntent</c>).</summary>
    public bool HasIntent { get; init; }

    /// <summary>When it was soft-deleted, or null. Its data is purged after the vault's soft-delete days.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    /// <summary>Days from <see cref="DeletedAt"/> to the purge, fixed when it was deleted.</summary>
    public int SoftDeleteDays { get; init; }

    /// <summary>Azure's protectedItemDataId: a decimal number too large for a JavaScript number.</summary>
    public required string DataId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Schedules have been looked at up to this instant: nothing that was due until then fires any more. For a deleted item: when its purge was last begun.</summary>
    public DateTimeOffset? ScheduledUntil { get; init; }

    /// <summary>Snapshots of recovery points that have left the list and that the store has yet to forget.</summary>
    public ImmutableArray<Guid> DoomedSnapshots { get; init => field = value.IsDefaultOrEmpty ? [] : value; } = [];

    /// <summary>Counts the writes; a writer that read an older one is refused.</summary>
    public int Version { get; init; }

    public bool IsDeleted => DeletedAt is not null;

    public ItemKind Kind => ItemNames.KindOf(NativeName);

    /// <summary>Of a share: its storage account; else null.</summary>
    public ShareAccountId? Account => ShareId.TryParse(SourceResourceId, out var share) ? share.Account : null;

    /// <summary>Of a share: the name of its storage account in its owner's spelling; else empty.</summary>
    public string AccountName => Account?.Name ?? "";

    /// <summary>True while its policy's schedule makes backups of it.</summary>
    public bool IsBackedUp => !IsDeleted && ProtectionState is (ProtectionStates.Protected or ProtectionStates.InitialPending);

    /// <summary>True while its policy's retention deletes recovery points of it.</summary>
    public bool IsPruned => IsBackedUp || (!IsDeleted && ProtectionState == ProtectionStates.Suspended);

    /// <summary>Names this state of this item, in the form of an HTTP entity tag.</summary>
    public string ETag => $"\"{Key:N}-{Version}\"";

    /// <summary>Whether a condition (<c>If-Match</c>) holds; an absent one always does.</summary>
    public static bool Matches(ProtectedItem? item, string? condition) =>
        string.IsNullOrEmpty(condition) || (item is not null && (condition == "*" || condition.Split(',').Any(tag => tag.Trim() == item.ETag)));
}

/// <summary>Which items of a vault are asked for; null: all. Texts are compared without regard to case.</summary>
public sealed record ItemQuery
{
    public string? PolicyName { get; init; }
    public string? NativeName { get; init; }

    /// <summary>Only items of this kind.</summary>
    public ItemKind? Kind { get; init; }

    /// <summary>The native name of the container that they are in.</summary>
    public string? Container { get; init; }

    /// <summary>The machine's or the share's name.</summary>
    public string? FriendlyName { get; init; }

    /// <summary>Whether the last backup failed.</summary>
    public bool? IsFailing { get; init; }
}

/// <summary>Keeps protected items and their recovery points. Names are compared without regard to case.</summary>
public interface IItemRepository
{
    Task<ProtectedItem?> FindAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken);

    Task<ProtectedItem?> FindAsync(Guid itemKey, CancellationToken cancellationToken);

    Task<IReadOnlyList<ProtectedItem>> ListAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>By native name, at most <paramref name="count"/> of those after <paramref name="after"/>.</summary>
    Task<IReadOnlyList<ProtectedItem>> ListAsync(Guid vaultKey, ItemQuery query, string? after, int count, CancellationToken cancellationToken);

    /// <summary>The item, in any vault, that protects a machine or a share: at most one, since it can be protected in one vault only.</summary>
    Task<ProtectedItem?> FindBySourceAsync(string sourceResourceId, CancellationToken cancellationToken);

    /// <summary>ARM ids (lower case) of all machines and shares that some vault protects.</summary>
    Task<IReadOnlySet<string>> ListProtectedSourcesAsync(CancellationToken cancellationToken);

    /// <returns>False when the machine or the share has an item already, in this vault or another, or when the vault, the item's policy or, of a share, the registration of its storage account is gone.</returns>
    Task<bool> TryAddAsync(ProtectedItem item, CancellationToken cancellationToken);

    /// <summary>Writes the item if its version is still <see cref="ProtectedItem.Version"/> and a policy that it has come to exists, and counts the version up.</summary>
    Task<bool> TryUpdateAsync(ProtectedItem item, CancellationToken cancellationToken);

    /// <summary>The same, if the policy that the item comes to is still the one that was judged.</summary>
    Task<bool> TryUpdateAsync(ProtectedItem item, BackupPolicy judged, CancellationToken cancellationToken);
}
