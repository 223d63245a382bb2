using Strongroom.Blocks;

namespace Strongroom.Backup.Machines;

/// <summary>
/// The door to hosts that start a machine whose disks are still in the vault, and bring the data over while it runs. Filled by Strongroom.Workloads; the
/// composition root joins the kinds of host.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public interface IInstantBooter
{
    /// <summary>Begins a machine, or takes up the one that an earlier run of the job has made. Nothing of it is seen before it is booted.</summary>
    /// <exception cref="MachineException">No host takes it, or its name is taken; the message is for its owner.</exception>
    Task<IInstantBoot> BeginAsync(NewMachine machine, HostRun run, CancellationToken cancellationToken);
}

/// <summary>A machine that runs from the vault. Disposing ends what is served to it: a machine that is there waits for its disks until it is taken up again.</summary>
public interface IInstantBoot : IAsyncDisposable
{
    /// <summary>The machine is there, by this run or by an earlier one.</summary>
    bool IsMade { get; }

    /// <summary>Shows the disks to the host, which reads them until this is disposed of. The contents are the caller's.</summary>
    /// <exception cref="MachineException">The host cannot be served.</exception>
    Task ServeAsync(IReadOnlyList<(MachineDisk Disk, IBlockDevice Content)> disks, CancellationToken cancellationToken);

    /// <summary>Makes the machine, if it is not there, and starts it, if it does not run. If the host refuses what it is asked for the first time, there is no machine afterwards.</summary>
    /// <exception cref="MachineException">The host does not take it, or cannot start it; or it does not answer, and nobody knows whether the machine is there.</exception>
    Task BootAsync(CancellationToken cancellationToken);

    /// <summary>Looks how far the data are, and keeps them moving. To be called every so often, until the machine does not need the vault any more or is gone.</summary>
    /// <exception cref="MachineException">The host does not answer or fails; another try may succeed.</exception>
    Task<BootTransfer> TransferAsync(CancellationToken cancellationToken);

    /// <summary>Removes from the host what was there for the transfer only. Afterwards nothing knows that the machine once ran from the vault.</summary>
    /// <exception cref="MachineException">The host does not answer or fails; another try may succeed.</exception>
    Task EndAsync(CancellationToken cancellationToken);

    /// <summary>Ends the machine, and removes it with all that it has written.</summary>
    /// <exception cref="MachineException">The host does not answer or fails.</exception>
    Task AbandonAsync();
}

/// <summary>How far the data of a machine are that runs from the vault.</summary>
/// <param name="BytesDone">Of the disks' virtual sizes.</param>
public sealed record BootTransfer(BootTransferState State, long BytesDone);

/// <summary>The kinds of <see cref="BootTransfer"/>.</summary>
public enum BootTransferState
{
    /// <summary>Data are being brought over.</summary>
    Moves,

    /// <summary>The machine is off; it goes on at its next start.</summary>
    IsOff,

    /// <summary>The machine has all its data.</summary>
    IsDone,

    /// <summary>The machine was deleted.</summary>
    IsGone,
}
