using System.Text.Json.Nodes;
using Strongroom.Backup.Items;
using Strongroom.Backup.Verification;

namespace Strongroom.Backup.Policies;

/// <summary>A backup policy of a vault.</summary>
/// <param name="Properties">The policy in Azure's words, without protectedItemsCount, which is counted when asked for.</param>
public sealed record BackupPolicy(Guid VaultKey, string Name, JsonObject Properties, DateTimeOffset ChangedAt)
{
    /// <summary>Since when its schedule has been what it is: a change of retention alone leaves it. What was due before is due to no item. Null: <see cref="ChangedAt"/>.</summary>
    public DateTimeOffset? ScheduledSince { get; init; }

    /// <summary>Whether its items' recovery points are booted to prove themselves; null: nobody has said so. Kept when the policy is written, and written by <see cref="IPolicyRepository.TrySetVerificationAsync"/> alone.</summary>
    public RestoreVerification? Verification { get; init; }

    /// <summary><c>AzureIaasVM</c>, <c>AzureWorkload</c>, <c>AzureStorage</c>.</summary>
    public string BackupManagementType => Properties["backupManagementType"]?.GetValue<string>() ?? "";

    /// <summary>What it is for; null: for what this version does not protect.</summary>
    public ItemKind? Kind => BackupManagementType switch
    {
        "AzureIaasVM" => ItemKind.VirtualMachine,
        "AzureStorage" => ItemKind.FileShare,
        _ => null,
    };

    /// <summary>True for policyType V2.</summary>
    public bool IsEnhanced => (string?)Properties["policyType"] == "V2";
}

/// <summary>A policy and the number of items that have it, those that are soft-deleted but keep it included.</summary>
public sealed record PolicyInUse(BackupPolicy Policy, int ProtectedItems);

/// <summary>What came of deleting a policy.</summary>
public enum PolicyDeletion
{
    Deleted,
    Absent,

    /// <summary>Items have it: nothing was done.</summary>
    InUse,
}

/// <summary>Keeps policies. Names are compared without regard to case.</summary>
public interface IPolicyRepository
{
    Task<BackupPolicy?> FindAsync(Guid vaultKey, string name, CancellationToken cancellationToken);

    Task<PolicyInUse?> FindInUseAsync(Guid vaultKey, string name, CancellationToken cancellationToken);

    Task<IReadOnlyList<PolicyInUse>> ListAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>Writes a policy if what it was judged by still holds; looking and writing are one step. Its <see cref="BackupPolicy.Verification"/> stays what it was.</summary>
    /// <param name="judged">The policy of this name as it was read, or null: there was none.</param>
    /// <returns>False when it has been changed, made or deleted since, or has come into use: nothing was done.</returns>
    Task<bool> TryPutAsync(BackupPolicy policy, PolicyInUse? judged, CancellationToken cancellationToken);

    /// <summary>Puts or removes (null) <see cref="BackupPolicy.Verification"/>, and nothing else.</summary>
    /// <returns>False: there is no such policy.</returns>
    Task<bool> TrySetVerificationAsync(Guid vaultKey, string name, RestoreVerification? verification, CancellationToken cancellationToken);

    /// <summary>Deletes a policy that no item has; looking and deleting are one step.</summary>
    Task<PolicyDeletion> DeleteAsync(Guid vaultKey, string name, CancellationToken cancellationToken);
}
