using System.Diagnostics.CodeAnalysis;
using Strongroom.Backup.Items;

namespace Strongroom.Backup.Machines;

/// <summary>The ARM id of a virtual machine, taken apart.</summary>
public sealed record MachineId(string SubscriptionId, string ResourceGroup, string Name)
{
    /// <summary>Reads <c>/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Compute/virtualMachines/{n}</c>, without regard to case.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MachineId? id)
    {
        id = SourceIds.Read(text, "Microsoft.Compute/virtualMachines") is { } found ? new(found.SubscriptionId!, found.ResourceGroup!, found.Name) : null;
        return id is not null;
    }
}
