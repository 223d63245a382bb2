using System.Text.Json.Nodes;
using Strongroom.Backup.Containers;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.ProtectionContainers;

/// <summary>Storage accounts on the wire: <c>AzureStorageContainer</c> and <c>AzureStorageProtectableContainer</c> of bms.json.</summary>
internal static class StorageContainers
{
    public const string Type = "StorageContainer";

    public static JsonObject ToJson(Vault vault, ContainerInUse listed)
    {
        var container = listed.Container;
        return new()
        {
            ["id"] = BackupPaths.Container(vault, container.NativeName),
            ["name"] = ItemNames.Container(container.NativeName),
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectionContainers",
            ["properties"] = new JsonObject
            {
                ["sourceResourceId"] = container.SourceResourceId,
                ["storageAccountVersion"] = "Storage",
                ["resourceGroup"] = ShareAccountId.TryParse(container.SourceResourceId, out var id) ? id.ResourceGroup : null,
                ["protectedItemCount"] = listed.Items,
                ["friendlyName"] = container.FriendlyName,
                ["backupManagementType"] = "AzureStorage",
                ["registrationStatus"] = "Registered",
                ["healthStatus"] = "Healthy",
                ["containerType"] = Type,
                ["protectableObjectType"] = Type,
                // There is no lock to acquire: the account goes when its file server does, and its backups stay.
                ["acquireStorageAccountLock"] = "NotAcquire",
            },
        };
    }

    /// <summary>An account that can be registered.</summary>
    public static JsonObject ToJson(Vault vault, ShareAccount account)
    {
        var name = ItemNames.Container(ItemNames.OfAccount(account.ResourceGroup, account.Name));
        return new()
        {
            ["id"] = $"{vault.ResourceId}/backupFabrics/Azure/protectableContainers/{name}",
            ["name"] = name,
            ["type"] = BackupPaths.VaultType + "/backupFabrics/protectableContainers",
            ["properties"] = new JsonObject
            {
                ["friendlyName"] = account.Name,
                ["backupManagementType"] = "AzureStorage",
                ["protectableContainerType"] = Type,
                ["healthStatus"] = "Healthy",
                ["containerId"] = account.ResourceId,
            },
        };
    }
}
