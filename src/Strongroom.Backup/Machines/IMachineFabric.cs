using Strongroom.Blocks;

namespace Strongroom.Backup.Machines;

/// <summary>
/// The door to the hosts: finds virtual machines and opens them for a backup. Filled by Strongroom.Workloads, once for each kind of host;
/// the composition root joins them.
/// </summary>
/// <remarks>Thread-safe. A host that cannot be reached is logged and left out of a listing; it never makes a listing fail.</remarks>
public interface IMachineFabric
{
    /// <summary>All machines of the hosts in a subscription, live: nothing is cached.</summary>
    /// <param name="resourceGroup">Only this group (without regard to case), or null for all.</param>
    Task<IReadOnlyList<VirtualMachine>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken);

    /// <summary>One machine, or null when no host has it now.</summary>
    Task<VirtualMachine?> FindAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken);

    /// <summary>The machine that an item protects, or null when no host has it now.</summary>
    /// <param name="id">Its name may be another machine's too, or another one's by now.</param>
    /// <param name="before">The machine as a recovery point of the item has it; null: there is none.</param>
    /// <exception cref="MachineException">A host that could have it does not answer, and no other has one that is known to be it.</exception>
    Task<VirtualMachine?> FindProtectedAsync(MachineId id, VirtualMachine? before, CancellationToken cancellationToken) => FindAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken);

    /// <summary>Takes a snapshot of the machine: the moment that a recovery point will show. What an earlier backup of the item has left on the host is removed first.</summary>
    /// <exception cref="MachineException">The machine cannot be snapshotted; the message tells its owner why.</exception>
    Task<IMachineSnapshot> SnapshotAsync(VirtualMachine machine, MachineSnapshotRequest request, CancellationToken cancellationToken);

    /// <summary>Removes from a machine's host what keeps track of its changes, for an item that is not backed up any more. A machine that is not there is no error.</summary>
    Task ForgetAsync(VirtualMachine machine, Guid itemKey, CancellationToken cancellationToken);

    /// <summary>
    /// Removes what a backup that died has left on a machine's host, for a job that will not back the machine up again: left alone it could stop the machine. Nothing
    /// is left where a snapshot keeps nothing on its host. A machine that is not there is no error.
    /// </summary>
    /// <param name="tracking"><see cref="IMachineSnapshot.ChangeTracking"/> of the item's newest recovery point, which stays.</param>
    /// <param name="mayBeFrozen">The backup may have died while the machine held still for it: then it is let go.</param>
    /// <exception cref="MachineException">The host refuses.</exception>
    Task EndBackupAsync(VirtualMachine machine, Guid itemKey, string? tracking, bool mayBeFrozen, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>A machine's disks at one moment, held until disposed.</summary>
public interface IMachineSnapshot : IAsyncDisposable
{
    /// <summary><c>CrashConsistent</c>, <c>FileSystemConsistent</c> or <c>AppConsistent</c>.</summary>
    string Consistency { get; }

    IReadOnlyList<IMachineSnapshotDisk> Disks { get; }

    /// <summary>The machine's own description, kept with the recovery point so that it can be made again.</summary>
    VirtualMachine Machine { get; }

    /// <summary>Names the moment for the host's tracking of changes, kept with the recovery point: the next backup names it as its parent's. Null where the host tracks none.</summary>
    string? ChangeTracking => null;

    /// <summary>The recovery point since whose moment the host knows changes: the parent, or an older one whose tracking the parent has taken over. Null: the parent, or none.</summary>
    Guid? ChangesSince => null;

    /// <summary>How long the machine's file systems stood still for the snapshot; null when they were not frozen.</summary>
    TimeSpan? Frozen => null;

    /// <summary>Sentences for the machine's owner: why the point is only crash-consistent, why a disk is read whole.</summary>
    IReadOnlyList<string> Notes => [];

    /// <summary>The recovery point is committed: what the host kept for the parent can go. Never fails the backup; what cannot be removed now is removed by the next one.</summary>
    Task CommittedAsync() => Task.CompletedTask;

    /// <summary>
    /// Names each disk that was changed by someone while it was being read, with what gave it away. Called after the last read and before
    /// the recovery point is committed. Empty when the disks stood still.
    /// </summary>
    Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken);
}

/// <summary>One disk of a snapshot.</summary>
public interface IMachineSnapshotDisk
{
    MachineDisk Disk { get; }

    /// <summary>
    /// Names the disk's bytes at the snapshot's moment, so that a backup goes on where one was cut off; null where two snapshots with different
    /// bytes could bear the same name. At most 1,024 characters.
    /// </summary>
    string? ResumeToken => null;

    /// <summary>The host knows what has changed since the moment of <see cref="IMachineSnapshot.ChangesSince"/>.</summary>
    bool KnowsChanges => false;

    /// <summary>Opens the disk for reading; the caller disposes it before the snapshot.</summary>
    /// <param name="sinceParent">What has not changed since that moment comes as <see cref="BlockKind.Unchanged"/>, where <see cref="KnowsChanges"/> is true; otherwise the whole disk is data or zeros.</param>
    /// <exception cref="MachineException">The disk cannot be read; the message tells its owner why.</exception>
    Task<IBlockSource> OpenAsync(bool sinceParent, CancellationToken cancellationToken);
}

/// <summary>What a snapshot is wanted for.</summary>
/// <param name="ItemKey">The protected item: what is left on the host for it bears this name.</param>
/// <param name="Run">The run of the job.</param>
public sealed record MachineSnapshotRequest(Guid ItemKey, HostRun Run)
{
    /// <summary>Which disks are read, by LUN.</summary>
    public required Func<int, bool> Selects { get; init; }

    /// <summary>Of the recovery point that the snapshot is for.</summary>
    public Guid PointId { get; init; }

    /// <summary><see cref="IMachineSnapshot.ChangeTracking"/> of the parent recovery point; null: there is no parent, or it was not tracked.</summary>
    public string? ParentTracking { get; init; }

    /// <summary>The machine as the newest recovery point has it: its disks keep the LUNs that they have there, where the host gives them none of their own. Null: there is no point.</summary>
    public VirtualMachine? Previous { get; init; }

    /// <summary>False: the policy wants crash-consistent points, and the machine is not asked to hold still.</summary>
    public bool MayFreeze { get; init; } = true;
}

/// <summary>A machine or a disk that cannot be backed up as it is; the message is for its owner.</summary>
public sealed class MachineException : Exception
{
    public MachineException(MachineProblem problem, string message, Exception? innerException = null) : base(message, innerException) => Problem = problem;

    public MachineProblem Problem { get; }
}

/// <summary>The kinds of <see cref="MachineException"/>, told apart because Azure has a code for each.</summary>
public enum MachineProblem
{
    /// <summary>No host has the machine any more.</summary>
    NotFound,

    /// <summary>A disk cannot be opened or read.</summary>
    DiskUnreadable,

    /// <summary>A disk is held by another process, usually the running machine itself.</summary>
    DiskInUse,

    /// <summary>The description of the machine cannot be understood.</summary>
    BadDescription,

    /// <summary>A disk is of a kind that is not supported (encrypted, differencing, with a foreign backing file).</summary>
    DiskUnsupported,

    /// <summary>A program that is needed is not installed.</summary>
    ToolMissing,

    /// <summary>A machine of the name that a restored one should have is there already.</summary>
    NameTaken,

    /// <summary>No host of the resource group can take a restored machine.</summary>
    NoHost,

    /// <summary>The host cannot write what is to be restored.</summary>
    NotWritable,

    /// <summary>The host cannot be reached, or does not let the server in.</summary>
    HostUnreachable,

    /// <summary>There is no room left for what the host must keep aside while the machine is read.</summary>
    ScratchFull,

    /// <summary>The host or the machine failed in the middle of the work; another try may succeed.</summary>
    HostFailed,
}
