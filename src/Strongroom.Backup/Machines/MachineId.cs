using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Backup.Machines;

/// <summary>The ARM id of a virtual machine, taken apart.</summary>
public sealed record MachineId(string SubscriptionId, string ResourceGroup, string Name)
{
    /// <summary>Reads <c>/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Compute/virtualMachines/{n}</c>, without regard to case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MachineId? id)
    {
        id = null;
        var parts = (text ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 8 || !Is(parts[0], "subscriptions") || !Is(parts[2], "resourceGroups") || !Is(parts[4], "providers")
            || !Is(parts[5], "Microsoft.Compute") || !Is(parts[6], "virtualMachines"))
            return false;
        id = new(parts[1], parts[3], parts[7]);
        return true;
    }

    private static bool Is(string part, string word) => part.Equals(word, StringComparison.OrdinalIgnoreCase);
}
