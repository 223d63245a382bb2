using Strongroom.Backup.Items;

namespace Strongroom.Api.RecoveryServices;

/// <summary>Azure's words for the kinds of protected items.</summary>
internal static class ItemWords
{
    public const string MachineType = "Microsoft.Compute/virtualMachines";
    public const string ShareType = "AzureFileShareProtectedItem";

    /// <summary><c>backupManagementType</c>.</summary>
    public static string ManagementType(ItemKind kind) => kind == ItemKind.FileShare ? "AzureStorage" : "AzureIaasVM";

    /// <summary><c>workloadType</c>, which <c>itemType</c> of filters is, too.</summary>
    public static string WorkloadType(ItemKind kind) => kind == ItemKind.FileShare ? "AzureFileShare" : "VM";

    /// <summary><c>protectedItemType</c>.</summary>
    public static string ItemType(ItemKind kind) => kind == ItemKind.FileShare ? ShareType : MachineType;

    /// <summary><c>objectType</c> of the request for a backup.</summary>
    public static string BackupRequestType(ItemKind kind) => kind == ItemKind.FileShare ? "AzureFileShareBackupRequest" : "IaasVMBackupRequest";

    /// <summary><c>jobType</c>.</summary>
    public static string JobType(ItemKind kind) => kind == ItemKind.FileShare ? "AzureStorageJob" : "AzureIaaSVMJob";

    /// <summary>The kind that a <c>backupManagementType</c> stands for; null: none that is here.</summary>
    public static ItemKind? KindOf(string managementType) => Find(ManagementType, managementType);

    /// <summary>The kind that a <c>workloadType</c> stands for; null: none that is here.</summary>
    public static ItemKind? KindOfWorkload(string workloadType) => Find(WorkloadType, workloadType);

    private static ItemKind? Find(Func<ItemKind, string> word, string sent)
    {
        foreach (var kind in Enum.GetValues<ItemKind>())
        {
            if (word(kind).Equals(sent, StringComparison.OrdinalIgnoreCase)) return kind;
        }

        return null;
    }
}
