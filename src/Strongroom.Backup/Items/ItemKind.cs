namespace Strongroom.Backup.Items;

/// <summary>The kinds of what is protected.</summary>
public enum ItemKind
{
    /// <summary>A virtual machine: Azure's <c>AzureIaasVM</c>.</summary>
    VirtualMachine = 0,

    /// <summary>A file share of a storage account: Azure's <c>AzureStorage</c>.</summary>
    FileShare = 1,
}
