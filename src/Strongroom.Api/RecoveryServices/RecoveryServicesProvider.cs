using System.Runtime.CompilerServices;
using Strongroom.Arm;
using Strongroom.Backup;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices;

/// <summary><c>Microsoft.RecoveryServices</c> as Resource Manager sees it.</summary>
internal sealed class RecoveryServicesProvider(IVaultRepository vaults, VaultLifecycle lifecycle) : IResourceProvider
{
    private const string Title = "Microsoft Recovery Services";

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

    public IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        Operation("Vaults/read", "Vaults", "Read vaults", "Reads a vault or lists vaults"),
        Operation("Vaults/write", "Vaults", "Write vaults", "Makes or changes a vault"),
        Operation("Vaults/delete", "Vaults", "Delete vaults", "Deletes a vault that holds no items"),
        Operation("Vaults/backupconfig/read", "Vault Config", "Read vault config", "Reads the backup configuration of a vault"),
        Operation("Vaults/backupconfig/write", "Vault Config", "Write vault config", "Changes the backup configuration of a vault"),
        Operation("Vaults/backupstorageconfig/read", "Vault Storage Config", "Read storage config", "Reads the redundancy of a vault"),
        Operation("Vaults/backupstorageconfig/write", "Vault Storage Config", "Write storage config", "Changes the redundancy of a vault"),
        Operation("Vaults/backupEncryptionConfigs/read", "Encryption Config", "Read encryption config", "Reads how a vault is encrypted"),
        Operation("Vaults/backupEncryptionConfigs/write", "Encryption Config", "Write encryption config", "Confirms how a vault is encrypted"),
        Operation("Vaults/backupstorageconfig/prepareDataMove/action", "Vault Storage Config", "Prepare a move", "Refuses to prepare a move of a vault's data"),
        Operation("Vaults/backupstorageconfig/triggerDataMove/action", "Vault Storage Config", "Trigger a move", "Refuses to move a vault's data"),
        Operation("Vaults/extendedInformation/read", "Vault Extended Info", "Read extended information", "Reads what clients keep with a vault"),
        Operation("Vaults/extendedInformation/write", "Vault Extended Info", "Write extended information", "Changes what clients keep with a vault"),
        Operation("Vaults/certificates/write", "Vault Certificates", "Upload certificates", "Refuses the certificates of agents"),
        Operation("Vaults/registeredIdentities/delete", "Registered Identities", "Delete identities", "Removes the identity of an agent"),
        Operation("Vaults/usages/read", "Vault Usages", "Read usages", "Counts how much a vault is used"),
        Operation("Vaults/replicationUsages/read", "Vault Usages", "Read replication usages", "Counts what a vault replicates: nothing"),
        Operation("Vaults/backupUsageSummaries/read", "Vault Usages", "Read usage summaries", "Counts protected items and containers"),
        Operation("Vaults/privateLinkResources/read", "Private Link Resources", "Read private link resources", "Lists what private endpoints could lead to: nothing"),
        Operation("Vaults/replicationVaultSettings/read", "Replication Vault Settings", "Read replication settings", "Reads the settings of replication: none"),
        Operation("locations/capabilities/action", "Capabilities", "Read capabilities", "Tells which zones private endpoints need: none"),
        Operation("locations/checkNameAvailability/action", "Name Availability", "Check names", "Tells whether a vault can have a name"),
        Operation("locations/deletedVaults/read", "Deleted Vaults", "Read deleted vaults", "Lists deleted vaults that can be brought back"),
        Operation("locations/deletedVaults/undelete/action", "Deleted Vaults", "Undelete vaults", "Brings a deleted vault back"),
        Operation("Vaults/backupResourceGuardProxies/read", "Resource Guard Proxies", "Read resource guard proxies", "Reads the resource guard that a vault is under"),
        Operation("Vaults/backupResourceGuardProxies/write", "Resource Guard Proxies", "Write resource guard proxies", "Puts a vault under a resource guard"),
        Operation("Vaults/backupResourceGuardProxies/delete", "Resource Guard Proxies", "Delete resource guard proxies", "Takes a vault from its resource guard"),
        Operation("Vaults/backupResourceGuardProxies/unlockDelete/action", "Resource Guard Proxies", "Unlock a deletion", "Allows a deletion that the resource guard protects, for a while"),
        Operation("Vaults/backupPolicies/read", "Backup Policies", "Read policies", "Reads or lists the policies of a vault"),
        Operation("Vaults/backupPolicies/write", "Backup Policies", "Write policies", "Makes or changes a policy"),
        Operation("Vaults/backupPolicies/delete", "Backup Policies", "Delete policies", "Deletes a policy that no item uses"),
        Operation("Vaults/backupFabrics/refreshContainers/action", "Refresh Containers", "Discover machines", "Looks for machines that can be protected"),
        Operation("Vaults/backupProtectableItems/read", "Protectable Items", "Read protectable items", "Lists machines that can be protected"),
        Operation("Vaults/backupProtectionContainers/read", "Protection Containers", "List containers", "Lists the containers of a vault"),
        Operation("Vaults/backupFabrics/protectionContainers/read", "Protection Containers", "Read containers", "Reads a container"),
        Operation("Vaults/backupProtectedItems/read", "Protected Items", "List protected items", "Lists the protected items of a vault"),
        Operation("Vaults/backupFabrics/protectionContainers/protectedItems/read", "Protected Items", "Read protected items", "Reads a protected item"),
        Operation("Vaults/backupFabrics/protectionContainers/protectedItems/write", "Protected Items", "Write protected items", "Protects a machine, changes or stops its protection"),
        Operation("Vaults/backupFabrics/protectionContainers/protectedItems/delete", "Protected Items", "Delete protected items", "Stops protection and deletes the backup data"),
        Operation("Vaults/backupFabrics/protectionContainers/protectedItems/backup/action", "Protected Items", "Back up", "Makes a recovery point now"),
        Operation("Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read", "Recovery Points", "Read recovery points", "Reads or lists recovery points"),
        Operation("Vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action", "Recovery Points", "Restore", "Restores the disks of a recovery point"),
        Operation("Vaults/backupJobs/read", "Backup Jobs", "Read jobs", "Reads or lists jobs"),
        Operation("Vaults/backupJobs/cancel/action", "Backup Jobs", "Cancel jobs", "Cancels a job"),
        Operation("Vaults/backupOperations/read", "Backup Operations", "Read operation status", "Reads the status of an asynchronous operation"),
        Operation("Vaults/backupOperationResults/read", "Backup Operations", "Read operation results", "Reads the result of an asynchronous operation"),
        Operation("Vaults/backupJobsExport/action", "Backup Jobs", "Export jobs", "Writes the jobs of a vault into a file"),
        Operation("Vaults/backupFabrics/backupProtectionIntent/read", "Protection Intents", "Read intents", "Reads an intent to protect a machine"),
        Operation("Vaults/backupFabrics/backupProtectionIntent/write", "Protection Intents", "Write intents", "Protects a machine and keeps the intent"),
        Operation("Vaults/backupFabrics/backupProtectionIntent/delete", "Protection Intents", "Delete intents", "Forgets an intent; the protection stays"),
        Operation("Vaults/backupProtectionIntents/read", "Protection Intents", "List intents", "Lists the intents of a vault"),
        Operation("Vaults/backupValidateOperation/action", "Validation", "Validate operations", "Tells what a restore would meet"),
        Operation("Vaults/backupTriggerValidateOperation/action", "Validation", "Trigger validation", "Tells what a restore would meet, by an operation"),
        Operation("Vaults/backupSecurityPIN/action", "Security PIN", "Get a PIN", "Makes a security PIN"),
        Operation("Vaults/backupEngines/read", "Backup Engines", "List engines", "Lists backup engines: none"),
        Operation("Vaults/backupDeletedProtectionContainers/read", "Protection Containers", "List deleted containers", "Lists deleted containers of workloads: none"),
        Operation("Vaults/backupFabrics/protectableContainers/read", "Protection Containers", "List protectable containers", "Lists containers of workloads that can be registered: none"),
        Operation("Vaults/privateEndpointConnections/read", "Private Endpoints", "Read connections", "Reads a private endpoint's connection: there is none"),
        Operation("locations/backupPreValidateProtection/action", "Backup Status", "Check before protection", "Tells whether a machine can be protected"),
        Operation("locations/backupValidateFeatures/action", "Backup Status", "Check features", "Tells what can be backed up"),
        Operation("locations/backupStatus/action", "Backup Status", "Check backup status", "Tells whether a machine is protected"),
        Operation("operations/read", "Operations", "List operations", "Lists the operations of this provider"),
    ];

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

    private static ProviderOperation Operation(string name, string resource, string operation, string description) =>
        new("Microsoft.RecoveryServices/" + name, Title, resource, operation, description);
}
