namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>How file systems of recovery points are read.</summary>
public sealed record FileReaderOptions
{
    /// <summary>The executable whose first argument is <see cref="Child.ReaderChild.Verb"/>; null: this process's own.</summary>
    public string? Executable { get; init; }

    /// <summary>Where readers have their folders when the server is not root; exists or can be made. Of no other server. Null: a temporary one.</summary>
    public string? Folder { get; init; }

    /// <summary>What is common to all servers of the machine that are root: who is which user, the appliance, and a folder for each server. Null: a temporary one, and no appliance is made for it.</summary>
    public string? MachineFolder { get; init; }

    /// <summary>Run the appliance by KVM. Otherwise its processor is emulated: slower, and working everywhere.</summary>
    public bool UsesKvm { get; init; }

    /// <summary>Recovery points that are open at a time; each takes the appliance's memory and that of its process.</summary>
    public int MaxOpen { get; init; } = 2;

    /// <summary>Memory of an appliance.</summary>
    public int MemoryMiB { get; init; } = 512;

    /// <summary>How long a recovery point stays open when nobody uses it.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a caller waits for one of the others to be let go.</summary>
    public TimeSpan BusyTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long opening may take: the appliance starts, and is made before that the first time.</summary>
    public TimeSpan OpenLimit { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>How long any other request may take.</summary>
    public TimeSpan RequestLimit { get; init; } = TimeSpan.FromMinutes(1);
}
