using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>The disks of a running machine at one moment, served by its QEMU while it runs on.</summary>
internal sealed class LiveSnapshot : IMachineSnapshot
{
    private readonly LibvirtMachine _machine;
    private readonly MachineSnapshotRequest _request;
    private readonly LibvirtConnections _connections;
    private readonly BackupPlace _place;
    private readonly LiveBackup _backup;
    private readonly ILogger _log;
    private readonly SnapshotCleanUp _cleanUp;
    private ScratchWatch? _watch;
    private Task _givingUp = Task.CompletedTask;
    private bool _isCommitted;

    private LiveSnapshot(LibvirtMachine machine, MachineSnapshotRequest request, LibvirtConnections connections, BackupPlace place, LiveBackup backup, string definition, ScratchSpace? scratch, SnapshotCleanUp cleanUp, ILogger log)
    {
        _machine = machine;
        _request = request;
        _connections = connections;
        _place = place;
        _backup = backup;
        _cleanUp = cleanUp;
        _log = log;
        Machine = machine.Machine with { Definition = definition };
        var byName = machine.Machine.Disks.ToDictionary(disk => disk.Name, StringComparer.Ordinal);
        Disks = [.. backup.Disks.Select(disk => new LiveSnapshotDisk(this, byName[disk.Target], disk, backup.Server.Address))];
        Notes = scratch is null
            ? [.. backup.Notes, $"The room in the host's scratchPath is not watched: the host has no active storage pool for '{machine.Host.ScratchPath}'."]
            : backup.Notes;
        if (scratch is not null) _watch = new(scratch, GiveUp);
    }

    public string Consistency => _backup.Consistency;

    public IReadOnlyList<IMachineSnapshotDisk> Disks { get; }

    public VirtualMachine Machine { get; }

    public string? ChangeTracking => _backup.Tracking?.ToString();

    public Guid? ChangesSince => _backup.ChangesSince;

    public TimeSpan? Frozen => _backup.Frozen;

    public IReadOnlyList<string> Notes { get; }

    /// <summary>Why the backup was ended on the host in the middle of it; null: it was not.</summary>
    public string? GivenUp { get; private set; }

    /// <exception cref="MachineException">The machine is gone, or its host refuses.</exception>
    public static async Task<LiveSnapshot> TakeAsync(
        LibvirtMachine machine, MachineSnapshotRequest request, LibvirtConnections connections, FreezeGuardOptions guard, BackupPorts ports, SnapshotCleanUp cleanUp, ILogger log, CancellationToken cancellationToken)
    {
        var scratch = await FindScratchAsync(machine.Host, connections, cancellationToken);
        if (scratch is not null && await scratch.LookAsync(cancellationToken) is { } room && ScratchWatch.Refuse(scratch.Folder, room) is { } full) throw new MachineException(MachineProblem.ScratchFull, full);
        var login = connections.LoginOf(machine.Host);
        var place = await FindPlaceAsync(machine.Host, request, ports, cancellationToken);
        LiveSnapshot snapshot;
        try
        {
            var (backup, definition) = await connections.UseAsync(machine.Host, connection =>
            {
                using var domain = connection.FindDomain(machine.Machine.VmId) ?? throw NotFound(machine);
                var definition = domain.InactiveXml;
                var start = new LiveBackupStart(connection, domain, machine, request, place, run => FreezeGuard.Start(guard, machine.Host.Uri, login, machine.Machine.VmId, run), log);
                return (start.Begin(), definition);
            }, cancellationToken);
            snapshot = new(machine, request, connections, place, backup, definition, scratch, cleanUp, log);
        }
        catch
        {
            place.Dispose();
            throw;
        }

        try
        {
            // The scratch space is watched by now.
            if (snapshot._backup.OwesPostScript) await snapshot.RunPostScriptAsync(cancellationToken);
            return snapshot;
        }
        catch
        {
            await snapshot.DisposeAsync();
            throw;
        }
    }

    private Task RunPostScriptAsync(CancellationToken cancellationToken) => _connections.UseAsync(_machine.Host, connection =>
    {
        using var domain = connection.FindDomain(_machine.Machine.VmId);
        if (domain is not null) LiveBackupStart.RunPostScript(new(domain), _machine, _log);
    }, cancellationToken);

    /// <summary>QEMU serves one moment or nothing: what could be read is of that moment.</summary>
    public Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    public async Task CommittedAsync()
    {
        _isCommitted = true;
        await EndWatchAsync();
        await _cleanUp.RemoveAsync(ChangeTracking);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await EndWatchAsync();
        }
        finally
        {
            // Whatever the parent's point remembers stays: the next backup goes on from it.
            if (!_isCommitted) await _cleanUp.RemoveAsync(_request.ParentTracking);
            _place.Dispose();
        }
    }

    /// <returns>Null: the room cannot be told.</returns>
    private static async Task<ScratchSpace?> FindScratchAsync(LibvirtHost host, LibvirtConnections connections, CancellationToken cancellationToken)
    {
        if (!host.IsLocal)
            return await connections.UseAsync(host, connection => PoolScratch.FindPool(connection, host), cancellationToken) is { } pool ? new PoolScratch(host, connections, pool) : null;
        return Directory.Exists(host.ScratchPath) ? new LocalScratch(host.ScratchPath) : throw new MachineException(MachineProblem.HostFailed, $"The host's scratchPath '{host.ScratchPath}' does not exist. Make it, for QEMU's user to write in (install -d -o libvirt-qemu -g kvm -m 0770 on Debian).");
    }

    private static async Task<BackupPlace> FindPlaceAsync(LibvirtHost host, MachineSnapshotRequest request, BackupPorts ports, CancellationToken cancellationToken) => host.IsLocal
        ? new SocketPlace(Path.Combine(host.ScratchPath, new TraceNames(request.ItemKey).Socket(request.Run)))
        : await RemotePlace.FindAsync(host, ports, cancellationToken);

    private async Task EndWatchAsync()
    {
        if (_watch is { } watch)
        {
            _watch = null;
            await watch.DisposeAsync();
        }

        // None is begun after the end of the watch, and one under way must not meet the item's next backup.
        await _givingUp;
    }

    /// <remarks>The checkpoint stays: if all is read already, the point is committed in spite of it.</remarks>
    private void GiveUp(string reason)
    {
        GivenUp = reason;
        _log.LogWarning("The backup of {Machine} is given up: {Reason}", _machine.Machine.Name, reason);
        _givingUp = _cleanUp.EndJobAsync();
    }

    private static MachineException NotFound(LibvirtMachine machine) => new(MachineProblem.NotFound, $"Virtual machine '{machine.Machine.Name}' is not on its host any more.");
}
