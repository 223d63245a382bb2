using System.Xml.Linq;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

/// <summary>
/// A domain whose disks are qcow2 images over those of a recovery point, which this serves. What the machine writes goes into the images, what it has not written is read from the
/// vault, and block pull brings the rest into the images while it runs.
/// </summary>
/// <param name="run">The run that made the machine, or makes it.</param>
/// <param name="stage">Where the images are made; null: an earlier run has made the machine.</param>
internal sealed class LibvirtBoot(NewMachine wanted, HostSetting setting, HostRun run, PoolStage? stage, ILogger log) : IInstantBoot
{
    private readonly ServedDisks _served = new();
    private readonly string _sockets = ServedDisks.PathPrefix(setting.Host, wanted.VmId);
    private readonly VaultNeed _need = new(ServedDisks.PathPrefix(setting.Host, wanted.VmId));
    private IReadOnlyList<MachineDisk> _disks = [];
    private bool _isDisposed;

    public bool IsMade { get; private set; } = stage is null;

    public Task ServeAsync(IReadOnlyList<(MachineDisk Disk, IBlockDevice Content)> disks, CancellationToken cancellationToken)
    {
        _disks = [.. disks.Select(disk => disk.Disk)];
        foreach (var (disk, content) in disks) _served.Add(setting, wanted.VmId, disk, content, log);
        return Task.CompletedTask;
    }

    public async Task BootAsync(CancellationToken cancellationToken)
    {
        if (!IsMade) await MakeAsync(cancellationToken);
        await setting.UseAsync(Start, cancellationToken);
    }

    public Task<BootTransfer> TransferAsync(CancellationToken cancellationToken) => setting.UseAsync(connection =>
    {
        using var domain = connection.FindDomain(wanted.VmId);
        if (domain is null) return new BootTransfer(BootTransferState.IsGone, 0);
        try
        {
            return domain.IsActive ? Move(connection, domain) : new(MayNeedVault(connection, domain) ? BootTransferState.IsOff : BootTransferState.IsDone, 0);
        }
        catch (LibvirtException exception) when (exception.Code is LibvirtException.NoDomain)
        {
            return new(BootTransferState.IsGone, 0);
        }
        catch (LibvirtException exception) when (exception.Code is LibvirtException.OperationInvalid)
        {
            // It was switched off, or on, while it was looked at.
            return new(BootTransferState.Moves, 0);
        }
    }, cancellationToken);

    public Task EndAsync(CancellationToken cancellationToken) => setting.UseAsync(connection =>
    {
        bool isGone;
        using (var domain = connection.FindDomain(wanted.VmId))
        {
            isGone = domain is null;
            if (domain is { IsPersistent: true })
            {
                var description = DomainDescription.Load(domain.InactiveXml);
                DiskErrors.Reset(description, wanted.Source.Definition);
                if (RestoreMetadata.Find(description) is { } restore) (restore with { IsServed = false }).Write(description);
                using var defined = connection.DefineDomain(description.ToString(SaveOptions.DisableFormatting));
            }
        }

        // What the owner of a machine has taken off it is the owner's.
        Clear(connection, path => isGone && _need.IsOf(path) == true);
    }, cancellationToken);

    public async Task AbandonAsync()
    {
        await setting.UseAsync(connection =>
        {
            using (var domain = connection.FindDomain(wanted.VmId))
            {
                if (domain is { IsActive: true }) domain.Destroy(gracefully: false);
                if (domain is not null && Persists(domain)) domain.Undefine();
            }

            Clear(connection, mayGo: null);
        }, CancellationToken.None);
        IsMade = false;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        await _served.DisposeAsync();
        if (IsMade || stage is null) return;
        try
        {
            setting.WarnOfKept(log, await stage.EndAsync());
        }
        catch (MachineException exception)
        {
            log.LogWarning(exception, "What was made for '{Machine}' in storage pool '{Pool}' is removed at the server's next start", wanted.Name, stage.Pool);
        }
    }

    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        var restored = new List<RestoredDisk>();
        foreach (var (disk, index) in _disks.Select((disk, index) => (disk, index)))
            restored.Add(await stage!.CreateOverlayAsync(wanted.Name, disk, _served.UriOf(index), cancellationToken));
        await setting.UseAsync(connection =>
        {
            stage!.Require(connection);
            MachineDefinition.Define(connection, setting.Host, wanted, restored, new(run, []) { IsServed = true }, DiskErrors.StopMachine);
            IsMade = true;
        }, cancellationToken);
    }

    private void Start(LibvirtConnection connection)
    {
        using var domain = connection.FindDomain(wanted.VmId) ?? throw Gone();
        try
        {
            if (!domain.IsActive) domain.Start();
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection && stage is not null)
        {
            // One that an earlier run has made may have run and written something.
            domain.Undefine();
            IsMade = false;
            throw new MachineException(MachineProblem.HostFailed, $"Host '{setting.Host.Name}' cannot start the machine: {exception.Message}", exception);
        }
    }

    /// <summary>One disk after the other is pulled, so that they do not hinder each other and the machine.</summary>
    private BootTransfer Move(LibvirtConnection connection, LibvirtDomain domain)
    {
        // While nobody served its disks it may have been stopped; it goes on where it was.
        if (domain.IsStoppedByDisk) domain.Resume();
        var served = XElement.Parse(domain.Xml).Elements("devices").Elements("disk").Where(IsServed).Select(DomainDescription.TargetOf).ToList();
        if (served.Count == 0) return new(MayNeedVault(connection, domain) ? BootTransferState.Moves : BootTransferState.IsDone, _disks.Sum(disk => disk.SizeBytes));
        var job = domain.BlockJob(served[0]);
        // None yet, or one that failed because nobody served the disk for a while: what it has brought stays.
        if (!job.IsLive) domain.PullBlocks(served[0]);
        // Each disk is read from its begin to its end.
        var done = _disks.Where(disk => !served.Contains(disk.Name)).Sum(disk => disk.SizeBytes);
        return new(BootTransferState.Moves, done + (job.IsLive ? (long)job.DoneBytes : 0));
    }

    private bool IsServed(XElement disk) => disk.Descendants("host").Any(host => ((string?)host.Attribute("socket"))?.StartsWith(_sockets, StringComparison.Ordinal) == true);

    /// <summary>As it runs or as it will start again, the machine needs the vault, or may need it.</summary>
    private bool MayNeedVault(LibvirtConnection connection, LibvirtDomain domain) =>
        _need.MayBeOf(domain.Xml, source => StoragePools.PathOf(connection, source))
        || (domain.IsPersistent && _need.MayBeOf(domain.InactiveXml, source => StoragePools.PathOf(connection, source)));

    private void Clear(LibvirtConnection connection, Func<string, bool>? mayGo)
    {
        using var pool = StoragePools.Open(connection, setting.Host, setting.Host.DiskPool);
        setting.WarnOfKept(log, PoolSweep.Clear(connection, setting, pool, run, known: null, mayGo));
    }

    private static bool Persists(LibvirtDomain domain)
    {
        try
        {
            return domain.IsPersistent;
        }
        catch (LibvirtException exception) when (exception.Code == LibvirtException.NoDomain)
        {
            return false;
        }
    }

    private MachineException Gone() => new(MachineProblem.NotFound, $"Virtual machine '{wanted.Name}' has gone from its host.");
}
