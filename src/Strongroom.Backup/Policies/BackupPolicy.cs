using System.Text.Json.Nodes;

namespace Strongroom.Backup.Policies;

/// <summary>A backup policy of a vault.</summary>
/// <param name="Properties">The policy in Azure's words, without protectedItemsCount, which is counted when asked for.</param>
public sealed record BackupPolicy(Guid VaultKey, string Name, JsonObject Properties, DateTimeOffset ChangedAt)
{
    /// <summary><c>AzureIaasVM</c>, <c>AzureWorkload</c>, <c>AzureStorage</c>.</summary>
    public string BackupManagementType => Properties["backupManagementType"]?.GetValue<string>() ?? "";
}

/// <summary>Keeps policies. Names are compared without regard to case.</summary>
public interface IPolicyRepository
{
    Task<BackupPolicy?> FindAsync(Guid vaultKey, string name, CancellationToken cancellationToken);

    /// <summary>A vault's policies with the number of items that each protects.</summary>
    Task<IReadOnlyList<(BackupPolicy Policy, int ProtectedItems)>> ListAsync(Guid vaultKey, CancellationToken cancellationToken);

    Task PutAsync(BackupPolicy policy, CancellationToken cancellationToken);
}
