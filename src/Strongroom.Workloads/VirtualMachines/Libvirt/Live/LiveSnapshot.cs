using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>The disks of a running machine at one moment, served by its QEMU while it runs on.</summary>
internal sealed class LiveSnapshot : IMachineSnapshot
{
    private const int CleanUpTries = 10;

    private readonly LibvirtMachine _machine;
    private readonly MachineSnapshotRequest _request;
    private readonly LibvirtConnections _connections;
    private readonly LiveBackup _backup;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly ScratchWatch? _watch;
    private bool _isCommitted;

    private LiveSnapshot(LibvirtMachine machine, MachineSnapshotRequest request, LibvirtConnections connections, LiveBackup backup, string definition, TimeProvider time, ILogger log)
    {
        _machine = machine;
        _request = request;
        _connections = connections;
        _backup = backup;
        _time = time;
        _log = log;
        Machine = machine.Machine with { Definition = definition };
        var byName = machine.Machine.Disks.ToDictionary(disk => disk.Name, StringComparer.Ordinal);
        Disks = [.. backup.Disks.Select(disk => new LiveSnapshotDisk(this, byName[disk.Target], disk, backup.Socket))];
        if (machine.Host.IsLocal) _watch = new(machine.Host.ScratchPath, GiveUp);
    }

    public string Consistency => _backup.Consistency;

    public IReadOnlyList<IMachineSnapshotDisk> Disks { get; }

    public VirtualMachine Machine { get; }

    public string? ChangeTracking => _backup.Checkpoint is { } checkpoint ? new TrackingToken(_machine.Machine.VmId, checkpoint).ToString() : null;

    public TimeSpan? Frozen => _backup.Frozen;

    public IReadOnlyList<string> Notes => _backup.Notes;

    /// <summary>Why the backup was ended on the host in the middle of it; null: it was not.</summary>
    public string? GivenUp { get; private set; }

    /// <exception cref="MachineException">The machine is gone, or its host refuses.</exception>
    public static async Task<LiveSnapshot> TakeAsync(
        LibvirtMachine machine, MachineSnapshotRequest request, LibvirtConnections connections, FreezeGuardOptions guard, TimeProvider time, ILogger log, CancellationToken cancellationToken)
    {
        if (machine.Host.IsLocal)
        {
            if (!Directory.Exists(machine.Host.ScratchPath)) throw new MachineException(MachineProblem.HostFailed, $"The host's scratchPath '{machine.Host.ScratchPath}' does not exist.");
            if (ScratchWatch.Refuse(machine.Host.ScratchPath) is { } full) throw new MachineException(MachineProblem.ScratchFull, full);
        }

        var login = connections.LoginOf(machine.Host);
        var (backup, definition) = await connections.UseAsync(machine.Host, connection =>
        {
            using var domain = connection.FindDomain(machine.Machine.VmId) ?? throw NotFound(machine);
            var start = new LiveBackupStart(domain, machine, request, run => FreezeGuard.Start(guard, machine.Host.Uri, login, machine.Machine.VmId, run), log);
            // Before there is a job on the host that somebody must end.
            var xml = domain.InactiveXml;
            return (start.Begin(), xml);
        }, cancellationToken);
        return new(machine, request, connections, backup, definition, time, log);
    }

    /// <summary>QEMU serves one moment or nothing: what could be read is of that moment.</summary>
    public Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    public async Task CommittedAsync()
    {
        _isCommitted = true;
        await CleanUpAsync(_backup.Checkpoint);
    }

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null) await _watch.DisposeAsync();
        if (_isCommitted) return;
        // Whatever the parent's point remembers stays: the next backup goes on from it.
        await CleanUpAsync(TrackingToken.TryParse(_request.ParentTracking, out var parent) ? parent.Checkpoint : null);
    }

    /// <summary>Ends the job on the host and drops all but one checkpoint. What fails now is done by the next backup.</summary>
    private async Task CleanUpAsync(string? keep)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await _connections.UseAsync(_machine.Host, connection =>
                {
                    using var domain = connection.FindDomain(_machine.Machine.VmId);
                    if (domain is { IsActive: true }) new HostTraces(domain, _machine.Host, _request.ItemKey, _log).Remove(keep);
                }, CancellationToken.None);
                return;
            }
            catch (MachineException exception) when (tries < CleanUpTries && exception.Problem == MachineProblem.HostUnreachable)
            {
                // libvirt may be starting again.
                await Task.Delay(TimeSpan.FromSeconds(1), _time, CancellationToken.None);
            }
            catch (MachineException exception)
            {
                _log.LogWarning(exception, "What the backup of {Machine} made on its host is not removed yet", _machine.Machine.Name);
                return;
            }
        }
    }

    private void GiveUp(string reason)
    {
        GivenUp = reason;
        _log.LogWarning("The backup of {Machine} is given up: {Reason}", _machine.Machine.Name, reason);
        _ = CleanUpAsync(TrackingToken.TryParse(_request.ParentTracking, out var parent) ? parent.Checkpoint : null);
    }

    private static MachineException NotFound(LibvirtMachine machine) => new(MachineProblem.NotFound, $"Virtual machine '{machine.Machine.Name}' is not on its host any more.");
}
