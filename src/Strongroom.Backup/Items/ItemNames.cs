using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Backup.Items;

/// <summary>
/// How Azure Backup names containers and items. A native name stands for both: <c>iaasvmcontainerv2;{rg};{vm}</c>, which is container and item of a virtual machine, and
/// <c>storage;{rg};{account};azurefileshare;{hex}</c>, our own join of the container of a storage account and the item of a share in it. All parts are compared without
/// regard to case, and are kept in lower case.
/// </summary>
public static class ItemNames
{
    private const string Machines = "iaasvmcontainerv2;";
    private const string Accounts = "storage;";
    private const string Shares = "azurefileshare;";
    private const int ShareDigits = 64;

    /// <summary>The native name of a machine: group and machine in lower case, as the service stores them.</summary>
    public static string NativeName(string resourceGroup, string machine) =>
        $"{Machines}{resourceGroup.ToLowerInvariant()};{machine.ToLowerInvariant()}";

    /// <summary>The native name of a storage account's container.</summary>
    public static string OfAccount(string resourceGroup, string account) => $"{Accounts}{resourceGroup.ToLowerInvariant()};{account.ToLowerInvariant()}";

    /// <summary>The native name of a share.</summary>
    /// <param name="resourceId">The share's ARM id; clients see 64 digits made of it, as they do in Azure.</param>
    public static string OfShare(string resourceGroup, string account, string resourceId) =>
        $"{OfAccount(resourceGroup, account)};{Shares}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(resourceId.ToLowerInvariant())))}";

    /// <summary>What a native name is the name of.</summary>
    public static ItemKind KindOf(string nativeName) => nativeName.StartsWith(Accounts, StringComparison.Ordinal) ? ItemKind.FileShare : ItemKind.VirtualMachine;

    /// <summary>What the native names of a kind begin with.</summary>
    public static string PrefixOf(ItemKind kind) => kind == ItemKind.FileShare ? Accounts : Machines;

    /// <summary>The native name of an item's container, which <c>containerName</c> of items and jobs is. A container's own stays as it is.</summary>
    public static string ContainerOf(string nativeName) => nativeName.IndexOf(';' + Shares, StringComparison.Ordinal) is var end && end < 0 ? nativeName : nativeName[..end];

    /// <summary>The container's name in paths, of an item's or a container's native name.</summary>
    public static string Container(string nativeName) => KindOf(nativeName) == ItemKind.FileShare
        // The service's spelling: "Storage" with a capital letter.
        ? $"StorageContainer;Storage;{ContainerOf(nativeName)[Accounts.Length..]}"
        : $"IaasVMContainer;{nativeName}";

    /// <summary>The item's name in paths.</summary>
    public static string Item(string nativeName) => KindOf(nativeName) == ItemKind.FileShare
        ? $"AzureFileShare;{nativeName[^ShareDigits..]}"
        : $"VM;{nativeName}";

    /// <summary>The native name of the machine or storage account that a container's name in a path stands for, or null when it is of another kind.</summary>
    public static string? FromContainer(string name)
    {
        var native = After(name, "StorageContainer;") ?? After(name, "IaasVMContainer;") ?? name.ToLowerInvariant();
        return IsTriple(native, Accounts) || IsTriple(native, Machines) ? native : null;
    }

    /// <summary>The native name that the names of container and item in a path stand for; null: they are no such names, or do not belong together.</summary>
    public static string? FromPath(string container, string item)
    {
        if (FromContainer(container) is not { } holder) return null;
        if (KindOf(holder) == ItemKind.VirtualMachine) return (After(item, "VM;") ?? item.ToLowerInvariant()) == holder ? holder : null;
        return IsShare(item.ToLowerInvariant()) ? $"{holder};{item.ToLowerInvariant()}" : null;
    }

    /// <summary>The native name of the machine that an item's name stands for, or null when it is not a virtual machine.</summary>
    public static string? FromItem(string name)
    {
        var native = After(name, "VM;") ?? name.ToLowerInvariant();
        return IsTriple(native, Machines) ? native : null;
    }

    private static string? After(string name, string prefix) =>
        // Clients give names with and without their first part.
        name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? name[prefix.Length..].ToLowerInvariant() : null;

    private static bool IsTriple(string native, string prefix) =>
        native.StartsWith(prefix, StringComparison.Ordinal) && native.Split(';') is [_, { Length: > 0 and <= 90 }, { Length: > 0 and <= 80 }];

    private static bool IsShare(string item) => item.Length == Shares.Length + ShareDigits && item.StartsWith(Shares, StringComparison.Ordinal) && item[Shares.Length..].All(char.IsAsciiHexDigitLower);
}
