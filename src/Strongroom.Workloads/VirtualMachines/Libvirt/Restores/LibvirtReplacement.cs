using System.Collections.Immutable;
using System.Xml.Linq;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Disks in the place of a domain's own: written beside them, and put into its definition all at once. The old ones go after that.</summary>
/// <remarks>
/// The definition also lists the old disks until they are removed, so that whoever comes after a crash removes them. Files of hosts that are this machine are locked from the begin
/// to the end, so that the domain cannot be started in between; of others it is looked at before and after the definition, which is taken back when the domain was started meanwhile
/// and has its old disks.
/// </remarks>
internal sealed class LibvirtReplacement : IMachineRestore
{
    private readonly VirtualMachine _machine;
    private readonly HostSetting _setting;
    private readonly HostRun _run;
    private readonly ILogger _log;
    private readonly ImmutableArray<CurrentDisk> _current;
    private readonly List<DiskLock> _locks;
    private readonly Dictionary<string, PoolStage> _stages = new(StringComparer.Ordinal);
    private readonly List<(RestoredDisk Disk, PoolStage Stage)> _disks = [];
    private readonly List<string> _notes = [];

    private LibvirtReplacement(VirtualMachine machine, HostSetting setting, HostRun run, ImmutableArray<CurrentDisk> current, List<DiskLock> locks, ILogger log) =>
        (_machine, _setting, _run, _current, _locks, _log) = (machine, setting, run, current, locks, log);

    public bool IsCommitted => false;

    public IReadOnlyList<string> Notes => _notes;

    /// <exception cref="MachineException">The machine runs, or its disks cannot be replaced.</exception>
    public static async Task<LibvirtReplacement> BeginAsync(VirtualMachine machine, HostSetting setting, HostRun run, ILogger log, CancellationToken cancellationToken)
    {
        var current = await setting.UseAsync(connection =>
        {
            using var domain = Find(connection, machine);
            RequireOff(domain, machine);
            return CurrentDisk.ListOf(connection, domain.InactiveXml);
        }, cancellationToken);
        var locks = new List<DiskLock>();
        try
        {
            if (setting.Host.IsLocal) locks.AddRange(current.Select(disk => Lock(machine, disk)).OfType<DiskLock>());
            return new(machine, setting, run, current, locks, log);
        }
        catch
        {
            locks.ForEach(held => held.Dispose());
            throw;
        }
    }

    public async Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
    {
        var replaced = _current.FirstOrDefault(place => place.Target == disk.Name);
        var pool = replaced?.Pool ?? _setting.Host.DiskPool;
        if (!_stages.TryGetValue(pool, out var stage)) _stages.Add(pool, stage = await PoolStage.BeginAsync(_setting, pool, _run, cancellationToken));
        var like = _setting.Host.IsLocal && replaced?.Path is { } path && File.Exists(path) ? path : null;
        var (restored, writer) = stage.CreateDisk(_machine.Name, disk, replaced?.Format ?? disk.Format, like);
        _disks.Add((restored, stage));
        return writer;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        var restore = await _setting.UseAsync(Define, cancellationToken);
        try
        {
            await _setting.UseAsync(connection =>
            {
                using var domain = Find(connection, _machine);
                _notes.AddRange(ReplacedDisks.Remove(connection, _setting.Host, domain, restore));
            }, CancellationToken.None);
        }
        catch (MachineException exception)
        {
            // The machine is restored; the server's next start clears up, since the pools stay marked.
            _stages.Clear();
            _log.LogWarning(exception, "The old disks of '{Machine}' could not be removed", _machine.Name);
        }
    }

    /// <summary>Removes what no domain has: all that was written, unless it was put into the domain's definition.</summary>
    public async ValueTask DisposeAsync()
    {
        _locks.ForEach(held => held.Dispose());
        foreach (var stage in _stages.Values)
        {
            try
            {
                _setting.WarnOfKept(_log, await stage.EndAsync());
            }
            catch (MachineException exception)
            {
                _log.LogWarning(exception, "What the restore of '{Machine}' has left in storage pool '{Pool}' is removed at the server's next start", _machine.Name, stage.Pool);
            }
        }
    }

    /// <summary>
    /// Whether a domain has all of these files and devices as its disks. One that somebody, such as a manager of clusters, has started since its definition was changed runs on the
    /// new disks, and writes to them: then the restore is committed, and the old definition must not come back.
    /// </summary>
    /// <param name="xml">Its description as it runs.</param>
    internal static bool RunsOn(string xml, IReadOnlyCollection<string> paths)
    {
        var sources = DomainDescription.Load(xml).Elements("devices").Elements("disk").Elements("source");
        return !paths.Except(sources.Select(source => (string?)source.Attribute("file") ?? (string?)source.Attribute("dev")).OfType<string>()).Any();
    }

    private RestoreMetadata Define(LibvirtConnection connection)
    {
        foreach (var stage in _stages.Values) stage.Require(connection);
        using var domain = Find(connection, _machine);
        RequireOff(domain, _machine);
        var before = domain.InactiveXml;
        var description = DomainDescription.Load(before);
        var devices = description.Element("devices")!;
        var now = CurrentDisk.ListOf(connection, before);
        var placed = new List<string>();
        foreach (var (disk, stage) in _disks)
        {
            var place = stage.Place(connection, disk);
            placed.Add(place.Path);
            if (now.FirstOrDefault(found => found.Target == disk.Disk.Name) != _current.FirstOrDefault(found => found.Target == disk.Disk.Name))
                throw new MachineException(MachineProblem.HostFailed, $"Disk '{disk.Disk.Name}' of '{_machine.Name}' was changed while it was being restored. Nothing was replaced.");
            if (DiskElements.Find(devices, disk.Disk.Name) is { } element) DiskElements.Place(element, place);
            else DiskElements.Add(devices, place, "virtio");
        }

        var old = _current.Where(place => _disks.Any(pair => pair.Disk.Disk.Name == place.Target)).Select(place => place.Path).OfType<string>();
        var restore = new RestoreMetadata(_run, [.. old]);
        restore.Write(description);
        using var defined = connection.DefineDomain(description.ToString(SaveOptions.DisableFormatting));
        if (!defined.IsActive || RunsOn(defined.Xml, placed)) return restore;
        using var reverted = connection.DefineDomain(before);
        throw Runs(_machine);
    }

    private static LibvirtDomain Find(LibvirtConnection connection, VirtualMachine machine) => connection.FindDomain(machine.VmId)
        ?? throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{machine.Name}' is not on its host any more.");

    private static void RequireOff(LibvirtDomain domain, VirtualMachine machine)
    {
        if (domain.IsActive) throw Runs(machine);
        if (domain.HasManagedSave)
            throw new MachineException(MachineProblem.DiskInUse, $"Virtual machine '{machine.Name}' is not shut down: its memory is saved on the host, and would not fit other disks. Start it and shut it down, or run virsh managedsave-remove.");
        if (domain.SnapshotCount > 0)
            throw new MachineException(MachineProblem.DiskUnsupported, $"Virtual machine '{machine.Name}' has snapshots on its host, which would be lost with its disks. Delete them first (virsh snapshot-delete).");
    }

    private static MachineException Runs(VirtualMachine machine) => new(MachineProblem.DiskInUse, $"Virtual machine '{machine.Name}' runs.");

    /// <summary>Keeps QEMU from a disk; null for one that the server cannot keep it from.</summary>
    private static DiskLock? Lock(VirtualMachine machine, CurrentDisk disk)
    {
        if (disk.Path is not { } path || !File.Exists(path)) return null;
        try
        {
            return DiskLock.Take(path);
        }
        catch (DiskInUseException exception)
        {
            throw new MachineException(MachineProblem.DiskInUse, $"Virtual machine '{machine.Name}' runs, or its disk '{disk.Target}' is in use otherwise.", exception);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
