using Strongroom.Blocks;

namespace Strongroom.Backup.Machines;

/// <summary>
/// The door to the hosts for restored disks that no machine has yet. Filled by Strongroom.Workloads, for each kind of host that can keep such disks; the composition root
/// joins them.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public interface IDiskRestorer
{
    /// <summary>Begins disks on a host of a resource group, in the location of the machine that they are of.</summary>
    /// <returns>Null: the group has no such host.</returns>
    /// <exception cref="MachineException">The host cannot take them; the message is for their owner.</exception>
    Task<IDiskRestore?> CreateDisksAsync(NewDisks disks, HostRun run, CancellationToken cancellationToken);
}

/// <summary>Disks on a host, under work. What is not known as a disk's resource (<see cref="HostVolume"/>) when it is disposed, or when the server starts after it was killed, is removed.</summary>
public interface IDiskRestore : IAsyncDisposable
{
    /// <summary>Begins a disk; it is finished and disposed before the end.</summary>
    /// <param name="disk">Its name and format are those that it had when it was backed up.</param>
    /// <exception cref="MachineException">The host cannot take it.</exception>
    Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken);

    /// <summary>Where the disks are, by LUN. They are whole and durable, and stay for good once their resources are stored.</summary>
    /// <exception cref="MachineException">A later run of the job has taken over.</exception>
    Task<IReadOnlyDictionary<int, HostVolume>> FinishAsync(CancellationToken cancellationToken);
}

/// <summary>Disks to be made.</summary>
/// <param name="Source">The machine that they are of, as it was when it was backed up.</param>
public sealed record NewDisks(VirtualMachine Source, string SubscriptionId, string ResourceGroup);
