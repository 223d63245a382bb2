namespace Strongroom.Backup.Items;

/// <summary>How Azure Backup names the containers and items of virtual machines. All parts are compared without regard to case.</summary>
public static class ItemNames
{
    private const string Native = "iaasvmcontainerv2;";
    private const string ContainerPrefix = "IaasVMContainer;";
    private const string ItemPrefix = "VM;";

    /// <summary>The native name of a machine: group and machine in lower case, as the service stores them.</summary>
    public static string NativeName(string resourceGroup, string machine) =>
        $"{Native}{resourceGroup.ToLowerInvariant()};{machine.ToLowerInvariant()}";

    public static string Container(string nativeName) => ContainerPrefix + nativeName;

    public static string Item(string nativeName) => ItemPrefix + nativeName;

    /// <summary>The native name that a container's name in a path stands for, or null when it is not a virtual machine's container.</summary>
    public static string? FromContainer(string name) => Parse(name, ContainerPrefix);

    /// <summary>The native name that an item's name in a path stands for, or null when it is not a virtual machine.</summary>
    public static string? FromItem(string name) => Parse(name, ItemPrefix);

    /// <summary>Group and machine of a native name.</summary>
    public static (string ResourceGroup, string Machine) Split(string nativeName)
    {
        var parts = nativeName.Split(';');
        return (parts[1], parts[2]);
    }

    private static string? Parse(string name, string prefix)
    {
        // Clients name the item with and without its first part.
        var native = name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? name[prefix.Length..] : name;
        if (!native.StartsWith(Native, StringComparison.OrdinalIgnoreCase)) return null;
        var parts = native.Split(';');
        return parts.Length == 3 && parts[1].Length is > 0 and <= 90 && parts[2].Length is > 0 and <= 80 ? native.ToLowerInvariant() : null;
    }
}
