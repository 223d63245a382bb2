using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Stopped;

/// <summary>
/// The disks of a machine that does not run, read as files. Its owner can start it at any time: then the disks have moved, and the backup begins again with the running machine.
/// </summary>
/// <remarks>
/// No checkpoint can be made without a QEMU. None is needed: the bitmaps of the parent's checkpoint go on, and this point's tracking is the parent's. They tell what
/// has changed since the point that the checkpoint was made for. Where an image was put back meanwhile that is less than what has changed since this point, so the next
/// backup goes on from that one.
/// </remarks>
internal sealed class StoppedSnapshot : IMachineSnapshot
{
    private readonly LibvirtMachine _machine;
    private readonly LibvirtConnections _connections;
    private readonly List<StoppedDisk> _disks;

    private StoppedSnapshot(LibvirtMachine machine, LibvirtConnections connections, List<StoppedDisk> disks, string definition, string? tracking, Guid? changesSince, IReadOnlyList<string> notes)
    {
        _machine = machine;
        _connections = connections;
        _disks = disks;
        Machine = machine.Machine with { Definition = definition };
        ChangeTracking = disks.Any(disk => disk.KnowsChanges) ? tracking : null;
        ChangesSince = changesSince;
        Notes = notes;
    }

    /// <summary>A machine that was shut down is as consistent as it will be at its next start; one that crashed is not told apart.</summary>
    public string Consistency => "CrashConsistent";

    public IReadOnlyList<IMachineSnapshotDisk> Disks => _disks;

    public VirtualMachine Machine { get; }

    public string? ChangeTracking { get; }

    public Guid? ChangesSince { get; }

    public IReadOnlyList<string> Notes { get; }

    /// <exception cref="MachineException">A disk cannot be read.</exception>
    public static async Task<StoppedSnapshot> TakeAsync(LibvirtMachine machine, MachineSnapshotRequest request, LibvirtConnections connections, CancellationToken cancellationToken)
    {
        if (!machine.Host.IsLocal)
            throw new MachineException(MachineProblem.DiskUnreadable, $"Virtual machine '{machine.Machine.Name}' does not run, and its host is another machine: its disks are read only while it runs. It is backed up at the first backup after its start.");
        var (definition, checkpoints) = await connections.UseAsync(machine.Host, connection =>
        {
            using var domain = connection.FindDomain(machine.Machine.VmId) ?? throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{machine.Machine.Name}' is not on its host any more.");
            return (domain.InactiveXml, domain.ListCheckpoints());
        }, cancellationToken);
        var notes = new List<string> { "The machine is off." };
        if (request.ParentTracking is null) notes.Add("All disks are read whole: changes are recorded from the first backup of the running machine on.");
        var parent = KnownChanges.Find(request.ParentTracking, machine, checkpoints, notes);
        var disks = new List<StoppedDisk>();
        try
        {
            foreach (var (disk, described) in machine.Machine.Disks.Zip(machine.Domain.Disks).Where(pair => request.Selects(pair.First.Lun)))
                disks.Add(await StoppedDisk.OpenAsync(disk, described, CheckpointOf(described, parent, notes), notes, cancellationToken));
            return new(machine, connections, disks, definition, request.ParentTracking, parent?.PointId, notes);
        }
        catch
        {
            foreach (var disk in disks) await disk.DisposeAsync();
            throw;
        }
    }

    public async Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken)
    {
        var runs = await _connections.UseAsync(_machine.Host, connection =>
        {
            using var domain = connection.FindDomain(_machine.Machine.VmId);
            return domain?.IsActive == true;
        }, cancellationToken);
        // The files last: a machine that is started after the question above writes them before it can do harm.
        return [.. runs ? ["the machine was started"] : Array.Empty<string>(), .. _disks.Select(disk => disk.FindChange()).OfType<string>()];
    }

    private static string? CheckpointOf(DomainDisk disk, KnownChanges? parent, List<string> notes)
    {
        if (parent is null || disk.Format != "qcow2") return null;
        if (parent.AreOf(disk, out var reason)) return parent.Checkpoint;
        notes.Add(reason);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var disk in _disks) await disk.DisposeAsync();
    }
}
