using Strongroom.Arm;
using Strongroom.Backup;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices;

/// <summary>The errors of Recovery Services and Azure Backup: their codes, our words.</summary>
internal static class RecoveryServicesErrors
{
    /// <summary>The code for a storage of vaults that does not do what it should.</summary>
    public const string StorageUnexpected = "CloudStorageUnexpectedError";

    /// <summary>What a host says in the middle of a request: it does not answer, so that nothing can be said of its machines.</summary>
    public static ArmException From(MachineException problem) => ArmErrors.Custom(503, "HostUnreachable", problem.Message);

    /// <summary>What a file server says in the middle of a request: nothing can be said of its shares.</summary>
    public static ArmException From(ShareException problem) => problem.Problem == ShareProblem.NotFound
        ? NotFound("BMSUserErrorContainerObjectNotFound", problem.Message)
        : ArmErrors.Custom(503, "FileServerUnreachable", problem.Message);

    public static ArmException From(BackupRefusedException refused) => refused.Refusal switch
    {
        BackupRefusal.ItemNotFound => ItemNotFound(refused.Message),
        BackupRefusal.RecoveryPointNotFound => NotFound("BMSUserErrorRecoveryPointNotFound", refused.Message),
        BackupRefusal.PolicyNotFound => ArmErrors.Custom(400, "BMSUserErrorPolicyNotFound", refused.Message, "policyId"),
        BackupRefusal.JobNotFound => NotFound("BMSUserErrorJobNotFound", refused.Message),
        BackupRefusal.PolicyUnsuitable => ArmErrors.Custom(400, "BMSUserErrorInvalidPolicyInput", refused.Message, "policyId"),
        BackupRefusal.InvalidPolicyInput => InvalidPolicy(refused.Message),
        BackupRefusal.InvalidPolicyParameter => ArmErrors.Custom(400, "UserErrorInvalidRequestParameter", $"Parameter {refused.Subject} in request is invalid. {refused.Message}", refused.Subject),
        BackupRefusal.PolicyRetentionInvalid => ArmErrors.Custom(400, "BMSUserErrorPolicyRetentionInvalid", "The retention duration provided in the backup policy is not supported. " + refused.Message),
        BackupRefusal.InstantRetentionExceedsVaulted => ArmErrors.Custom(400, "BMSUserErrorInstantRPRetentionExceedsVaultedRetention", refused.Message),
        BackupRefusal.PolicyInUse => ArmErrors.Custom(400, "BMSUserErrorPolicyObjectInUse", refused.Message),
        BackupRefusal.InvalidConfigureProtection => InvalidConfigureProtection(refused.Message),
        BackupRefusal.InvalidInput => InvalidInput(refused.Message, refused.Subject),
        BackupRefusal.ContainerNotFound => NotFound("BMSUserErrorContainerObjectNotFound", refused.Message),
        BackupRefusal.ContainerInUse => ArmErrors.Custom(400, "BMSUserErrorContainerHasDatasources", refused.Message),
        BackupRefusal.ContainerRegisteredElsewhere => ArmErrors.Custom(400, "BMSUserErrorContainerAlreadyRegisteredWithAnotherVault", refused.Message),
        BackupRefusal.ItemBusy => ArmErrors.Custom(409, "BMSUserErrorObjectLocked", refused.Message),
        BackupRefusal.BackupRunning => ArmErrors.Custom(409, "UserErrorBackupOperationInProgress", refused.Message),
        BackupRefusal.ItemSoftDeleted => ArmErrors.Custom(400, "BMSUserErrorItemInSoftDeletedState", refused.Message),
        BackupRefusal.ItemNotSoftDeleted => ArmErrors.Custom(400, "BMSUserErrorItemNotInSoftDeletedState", refused.Message),
        BackupRefusal.ProtectionStopped => ArmErrors.Custom(400, "BMSUserErrorProtectionStopped", refused.Message),
        BackupRefusal.VaultNotEmpty => ArmErrors.Custom(400, "ServiceResourceNotEmptyWithContainerDetails", refused.Message),
        BackupRefusal.VaultHoldsSoftDeleted => ArmErrors.Custom(400, "ServiceResourceNotEmptyWithBackendMessage", refused.Message),
        BackupRefusal.SoftDeleteAlwaysOn => ArmErrors.Custom(400, "BMSUserErrorDisablingSoftDeleteStateNotAllowed", refused.Message),
        BackupRefusal.ImmutabilityStateChange => ArmErrors.Custom(400, "UserErrorUnsupportedVaultImmutabilityStateChange", refused.Message),
        BackupRefusal.Immutable => ArmErrors.Custom(400, "UserErrorOperationDeniedOnImmutableItem", refused.Message),
        BackupRefusal.GuardRequestMissing => InvalidInput(refused.Message, refused.Subject),
        BackupRefusal.RedundancyLocked => ArmErrors.Custom(400, "BMSUserErrorStorageTypeLocked", refused.Message, refused.Subject),
        BackupRefusal.RedundancySetByVault => ArmErrors.Custom(400, "BMSUserErrorRedundancySettingsUseVaultApi", refused.Message),
        BackupRefusal.Conflict => ArmErrors.Custom(409, "BMSUserErrorConflictingProtectionOperation", refused.Message),
        BackupRefusal.PreconditionFailed => ArmErrors.PreconditionFailed(refused.Subject!),
        BackupRefusal.JobNotCancellable => ArmErrors.Custom(400, "BMSUserErrorJobNotCancellable", refused.Message),
        BackupRefusal.TooManyMounts => ArmErrors.Custom(409, "UserErrorItemLevelRecoveryLimitReached", refused.Message),
        BackupRefusal.StorageFailed => ArmErrors.Custom(500, StorageUnexpected, refused.Message),
        BackupRefusal.NotSupported => NotSupported(refused.Message),
        _ => throw new InvalidOperationException($"No error for {refused.Refusal}."),
    };

    /// <summary>What Azure has and this server does not: valid, and refused rather than pretended.</summary>
    public static ArmException NotSupported(string message) => ArmErrors.Custom(400, "BMSUserErrorOperationNotSupported", message);

    /// <summary>A resource below a vault that does not exist.</summary>
    public static ArmException ChildNotFound(Vault vault, string type, string name) => ResourceNames.IsSegment(name)
        ? NotFound("ResourceNotFound", $"The Resource 'Microsoft.RecoveryServices/vaults/{vault.Name}/{type}/{Cut(name)}' under resource group '{vault.ResourceGroup}' was not found.")
        : ArmErrors.InvalidRequestUri(name);

    public static ArmException ItemNotFound(string message) => NotFound("BMSUserErrorDataSourceObjectNotFound", "Item not found. " + message);

    public static ArmException ContainerNotFound(string container) =>
        NotFound("BMSUserErrorContainerObjectNotFound", $"Container '{Cut(container)}' is not registered with this vault.");

    public static ArmException ContainerInUse(string machine) => ArmErrors.Custom(400, "BMSUserErrorContainerHasDatasources",
        $"The container of '{machine}' holds its backups. Stop its protection and delete the backup data; the container goes with them.");

    public static ArmException PolicyNotFound(string policy, string vault) => NotFound("BMSUserErrorPolicyNotFound", $"Policy '{Cut(policy)}' does not exist in vault '{vault}'.");

    public static ArmException JobNotFound(string job) => NotFound("BMSUserErrorJobNotFound", $"Job '{Cut(job)}' does not exist in this vault.");

    public static ArmException RecoveryPointNotFound(string point) => NotFound("BMSUserErrorRecoveryPointNotFound", $"Recovery point '{Cut(point)}' does not exist.");

    public static ArmException OperationNotFound(string operation) => NotFound("BMSUserErrorOperationNotFound", $"Operation '{Cut(operation)}' is not known in this vault.");

    public static ArmException InvalidConfigureProtection(string message) =>
        ArmErrors.Custom(400, "BMSUserErrorInvalidConfigureProtectionRequest", "Input for configure protection is not in proper format. " + message);

    public static ArmException InvalidPolicy(string message) =>
        ArmErrors.Custom(400, "BMSUserErrorInvalidPolicyInput", "Input for create or update policy is not in proper format. " + message);

    public static ArmException InvalidInput(string message, string? target = null) => ArmErrors.Custom(400, "BMSUserErrorInvalidInput", "Input provided for the call is invalid. " + message, target);

    public static ArmException InvalidFabric(string fabric) => InvalidInput($"The fabric '{Cut(fabric)}' does not exist; it is called 'Azure'.", "fabricName");

    /// <summary>The property that tells a body's type is missing or says something this operation does not take.</summary>
    public static ArmException InvalidType(string property, string? value, params string[] known) => InvalidInput(
        value is null ? $"'{property}' is missing; it says what the body is: {string.Join(", ", known)}." : $"'{property}' is '{Cut(value)}'; this operation takes {string.Join(", ", known)}.",
        "properties." + property);

    private static ArmException NotFound(string code, string message) => ArmErrors.Custom(404, code, message);

    private static string Cut(string text) => text.Length > 120 ? text[..120] + "..." : text;
}
