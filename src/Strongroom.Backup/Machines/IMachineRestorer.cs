using Strongroom.Blocks;

namespace Strongroom.Backup.Machines;

/// <summary>
/// The door to the hosts for restores: makes a machine from restored disks, or gives a machine that is there its disks back. Filled by
/// Strongroom.Workloads, once for each kind of host; the composition root joins them.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public interface IMachineRestorer
{
    /// <summary>Begins a machine that a host of its resource group will have. Nothing of it is seen before it is committed.</summary>
    /// <exception cref="MachineException">No host takes it, or its name is taken; the message is for its owner.</exception>
    Task<IMachineRestore> CreateAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken);

    /// <summary>Begins to put disks in the place of those that a machine has. The machine keeps its own until the restore is committed, and cannot be started meanwhile where the host can prevent it.</summary>
    /// <exception cref="MachineException">It is not there, it runs, or its disks cannot be replaced; the message is for its owner.</exception>
    Task<IMachineRestore> ReplaceAsync(VirtualMachine machine, HostRun run, CancellationToken cancellationToken);

    /// <summary>
    /// Removes what restores have left on the hosts of a subscription, and brings to its end what was committed: called before the first job runs, when none is at work.
    /// A host that cannot be reached is logged and passed over.
    /// </summary>
    Task SweepAsync(string subscriptionId, CancellationToken cancellationToken);
}

/// <summary>A restore onto a host, under work. Disposing it without a commit undoes all of it.</summary>
public interface IMachineRestore : IAsyncDisposable
{
    /// <summary>An earlier run of the same job has committed: nothing is left to do, and nothing must be written.</summary>
    bool IsCommitted { get; }

    /// <summary>Sentences for the machine's owner, after the commit: what is not as it should be although the machine is restored.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>Begins a disk; it is finished and disposed before the commit.</summary>
    /// <param name="disk">Its name and format are those that it had when it was backed up; the host may know better which it has now.</param>
    /// <exception cref="MachineException">The machine's disk of this name cannot be replaced.</exception>
    Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken);

    /// <summary>Puts everything in place at once: whenever the server ends, the host has the old state or the new one.</summary>
    /// <exception cref="MachineException">The machine was started or changed meanwhile; nothing was changed.</exception>
    Task CommitAsync(CancellationToken cancellationToken);
}

/// <summary>A machine to be made.</summary>
/// <param name="Source">What it was when it was backed up.</param>
/// <param name="VmId">Its own id: it is another machine than the source.</param>
/// <param name="VirtualNetworkId">ARM id of the network that was asked for, for hosts that have use for it.</param>
/// <param name="SubnetId">ARM id of the subnet that was asked for.</param>
public sealed record NewMachine(VirtualMachine Source, string SubscriptionId, string ResourceGroup, string Name, Guid VmId, string? VirtualNetworkId, string? SubnetId);

/// <summary>Which run of which job works on a host: a later run of the job, with a higher fence, takes the place of an earlier one.</summary>
public sealed record HostRun(Guid JobId, long Fence);
