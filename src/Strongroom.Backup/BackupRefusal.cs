namespace Strongroom.Backup;

/// <summary>Why the domain refused a request; the API has one Azure code for each.</summary>
public enum BackupRefusal
{
    /// <summary>The item, machine or recovery point that was named does not exist.</summary>
    ItemNotFound,
    RecoveryPointNotFound,
    PolicyNotFound,
    JobNotFound,

    /// <summary>The policy is for another kind of workload.</summary>
    PolicyUnsuitable,

    /// <summary>Something in a policy is missing, wrong, or does not go with the rest of it.</summary>
    InvalidPolicyInput,

    /// <summary>A single value of a policy is wrong; the subject names it.</summary>
    InvalidPolicyParameter,

    /// <summary>A policy keeps recovery points for shorter or longer than is supported.</summary>
    PolicyRetentionInvalid,

    /// <summary>A policy keeps snapshots for as long as recovery points, or longer.</summary>
    InstantRetentionExceedsVaulted,

    /// <summary>Items use the policy: it can be neither deleted nor become another kind.</summary>
    PolicyInUse,

    /// <summary>The names in the path and the machine in the body do not belong together, or something that is needed is missing.</summary>
    InvalidConfigureProtection,

    /// <summary>An input of another request is wrong.</summary>
    InvalidInput,

    /// <summary>The storage account is not there, or not registered.</summary>
    ContainerNotFound,

    /// <summary>Items are in the container: its registration stays.</summary>
    ContainerInUse,

    /// <summary>The storage account is registered with another vault.</summary>
    ContainerRegisteredElsewhere,

    /// <summary>The item has a live job already.</summary>
    ItemBusy,

    /// <summary>A backup of the item is running already.</summary>
    BackupRunning,

    /// <summary>The item is soft-deleted: undelete it first.</summary>
    ItemSoftDeleted,

    /// <summary>Only a soft-deleted item can be undeleted.</summary>
    ItemNotSoftDeleted,

    /// <summary>Protection is stopped: there is nothing to back up.</summary>
    ProtectionStopped,

    /// <summary>The vault still holds items.</summary>
    VaultNotEmpty,

    /// <summary>The vault still holds soft-deleted items.</summary>
    VaultHoldsSoftDeleted,

    /// <summary>Soft delete is always on, or the vault is immutable: it cannot be switched off or shortened.</summary>
    SoftDeleteAlwaysOn,

    /// <summary>Immutability cannot go from the state it has to the one that was asked for.</summary>
    ImmutabilityStateChange,

    /// <summary>The vault is immutable: backup data that has not expired is not given up.</summary>
    Immutable,

    /// <summary>A resource guard protects the operation, and the request names none of the guard's requests for it.</summary>
    GuardRequestMissing,

    /// <summary>The vault has protected an item: its redundancy stays.</summary>
    RedundancyLocked,

    /// <summary>The redundancy was set through the vault, and can be changed there only.</summary>
    RedundancySetByVault,

    /// <summary>Someone else changed the resource since it was read.</summary>
    Conflict,

    /// <summary>The request has a condition, and the resource does not meet it; the subject names it.</summary>
    PreconditionFailed,

    /// <summary>The job is over and cannot be cancelled.</summary>
    JobNotCancellable,

    /// <summary>So many recovery points are mounted for the recovery of files that no further one can be.</summary>
    TooManyMounts,

    /// <summary>The vault's store does not answer, or is damaged.</summary>
    StorageFailed,

    /// <summary>Valid in Azure, but this version of Strongroom cannot do it.</summary>
    NotSupported,
}

/// <summary>A request that the domain refuses; nothing was changed. The message is for the caller.</summary>
public sealed class BackupRefusedException(BackupRefusal refusal, string message, string? subject = null) : Exception(message)
{
    public BackupRefusal Refusal { get; } = refusal;

    /// <summary>What it is about (an item's or container's name), where the answer names it.</summary>
    public string? Subject { get; } = subject;
}
