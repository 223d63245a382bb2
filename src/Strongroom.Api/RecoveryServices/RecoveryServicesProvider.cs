using System.Runtime.CompilerServices;
using Strongroom.Arm;
using Strongroom.Backup;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices;

/// <summary><c>Microsoft.RecoveryServices</c> as Resource Manager sees it.</summary>
internal sealed class RecoveryServicesProvider(IVaultRepository vaults, VaultLifecycle lifecycle) : IResourceProvider
{
    private static readonly string[] VaultVersions =
        ["2026-07-01", "2026-05-01", "2025-08-01", "2024-10-01", "2024-04-01", "2023-04-01", "2023-01-01", "2022-10-01", "2021-12-01", "2016-06-01"];

    public string Namespace => "Microsoft.RecoveryServices";

    public IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } =
    [
        new("vaults", VaultVersions),
        new("operations", VaultVersions),
        new("locations", VaultVersions),
        new("locations/backupStatus", VaultVersions),
        new("locations/capabilities", VaultVersions),
        new("locations/checkNameAvailability", VaultVersions),
        new("locations/deletedVaults", VaultVersions[..2]),
        new("vaults/backupPolicies", VaultVersions),
        new("vaults/backupJobs", VaultVersions),
    ];

    public IReadOnlyList<ProviderOperation> Operations => RecoveryServicesOperations.All;

    public async IAsyncEnumerable<ArmResourceSummary> ListAsync(string subscriptionId, string? resourceGroup, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var vault in await vaults.ListAsync(subscriptionId, resourceGroup, cancellationToken))
        {
            yield return new(ResourceId.Parse(vault.ResourceId), vault.Location, vault.Tags)
            {
                Sku = new() { ["name"] = vault.SkuName, ["tier"] = vault.SkuTier ?? "Standard" },
                Identity = (System.Text.Json.Nodes.JsonObject?)vault.Identity?.DeepClone(),
                CreatedAt = vault.CreatedAt,
                ChangedAt = vault.ChangedAt,
            };
        }
    }

    public async Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken)
    {
        var obstacle = await FindAsync(id, cancellationToken) is { } vault ? await lifecycle.FindObstacleAsync(vault, cancellationToken) : null;
        return obstacle is null ? null : RecoveryServicesErrors.From(obstacle);
    }

    public async Task DeleteAsync(ResourceId id, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken) is not { } vault) return;
        try { await lifecycle.DeleteAsync(vault, cancellationToken); }
        catch (BackupRefusedException refused) { throw RecoveryServicesErrors.From(refused); }
    }

    private async Task<Vault?> FindAsync(ResourceId id, CancellationToken cancellationToken) =>
        id is { SubscriptionId: { } subscription, ResourceGroup: { } group } && id.IsOfType(BackupPaths.VaultType)
            ? await vaults.FindAsync(subscription, group, id.Name, cancellationToken)
            : null;
}
