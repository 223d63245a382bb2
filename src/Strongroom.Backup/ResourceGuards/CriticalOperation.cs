namespace Strongroom.Backup.ResourceGuards;

/// <summary>An operation on a vault that a resource guard can protect.</summary>
/// <param name="Name">As the service calls it: an action of Recovery Services, with what of it is critical behind a <c>#</c>.</param>
/// <param name="RequestType">The guard's collection of requests for it; who may act on these may perform the operation.</param>
/// <param name="IsMandatory">No guard leaves it unprotected.</param>
public sealed record CriticalOperation(string Name, string RequestType, bool IsMandatory = false)
{
    private const string Vaults = "Microsoft.RecoveryServices/vaults/";
    private const string Items = Vaults + "backupFabrics/protectionContainers/protectedItems/";

    /// <summary>An item's backup data is deleted.</summary>
    public static CriticalOperation DeleteItem { get; } = new(Items + "delete", "deleteProtectedItemRequests");

    /// <summary>An item gets a policy that keeps less or backs up less often.</summary>
    public static CriticalOperation UpdateItem { get; } = new(Items + "write", "updateProtectedItemRequests");

    /// <summary>A policy keeps less than it did, or backs up less often.</summary>
    public static CriticalOperation UpdatePolicy { get; } = new(Vaults + "backupPolicies/write", "updateProtectionPolicyRequests");

    /// <summary>The vault is taken from its guard.</summary>
    public static CriticalOperation RemoveGuard { get; } = new(Vaults + "backupResourceGuardProxies/delete", "deleteResourceGuardProxyRequests", IsMandatory: true);

    public static CriticalOperation GetSecurityPin { get; } = new(Vaults + "backupSecurityPIN/action", "getBackupSecurityPINRequests");

    /// <summary>Soft delete or the security features of a vault are switched off.</summary>
    public static CriticalOperation DisableSoftDelete { get; } = new(Vaults + "backupconfig/write", "disableSoftDeleteRequests", IsMandatory: true);

    public static CriticalOperation ModifyEncryption { get; } = new(Vaults + "write#modifyEncryptionSettings", "modifyEncryptionSettings");

    /// <summary>An item is backed up no more; its data stays.</summary>
    public static CriticalOperation StopProtection { get; } = new(Items + "write#stopProtectionWithRetainData", "stopProtectionWithRetainDataRequests");

    /// <summary>A vault is not immutable any more.</summary>
    public static CriticalOperation ReduceImmutability { get; } = new(Vaults + "write#reduceImmutabilityState", "reduceImmutabilityStateRequests");

    /// <summary>An immutable vault keeps its recovery points for fewer days.</summary>
    public static CriticalOperation ShortenImmutability { get; } = new(Vaults + "write#modifyImmutabilityDuration", "modifyImmutabilityDurationRequests");

    public static CriticalOperation Restore { get; } = new(Items + "recoveryPoints/restore/action", "triggerRestoreRequests");

    /// <summary>All of them that exist here, in the service's order.</summary>
    public static IReadOnlyList<CriticalOperation> All { get; } =
    [
        DeleteItem, UpdateItem, UpdatePolicy, RemoveGuard, GetSecurityPin, DisableSoftDelete, ModifyEncryption, StopProtection, ReduceImmutability, ShortenImmutability, Restore,
    ];
}
