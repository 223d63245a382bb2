namespace Strongroom.Backup.Items;

/// <summary>The kinds of what is protected.</summary>
public enum ItemKind
{
    /// <summary>A virtual machine: Azure's <c>AzureIaasVM</c>.</summary>
    VirtualMachine = 0,

    /// <summary>A file share of a storage account: Azure's <c>AzureStorage</c>.</summary>
    FileShare = 1,
}

/// <summary>What the kinds are called in sentences.</summary>
public static class ItemNouns
{
    /// <summary>One of the kind, within a sentence; <c>s</c> makes it several.</summary>
    public static string Noun(this ItemKind kind) => kind == ItemKind.FileShare ? "file share" : "virtual machine";

    /// <summary>One of the kind, at a sentence's begin.</summary>
    public static string NounAtBegin(this ItemKind kind) => char.ToUpperInvariant(kind.Noun()[0]) + kind.Noun()[1..];
}
