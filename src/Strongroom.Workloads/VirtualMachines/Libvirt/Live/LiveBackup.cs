using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>A backup job that stands on a host: every disk of it shows one moment of the machine.</summary>
/// <param name="Disks">What is exported, in the order of the machine's disks.</param>
/// <param name="Tracking">The checkpoint of the moment; null: no disk can have one.</param>
/// <param name="ChangesSince">The recovery point since which changes are exported; null: there is none.</param>
/// <param name="Server">Where QEMU serves the disks.</param>
/// <param name="Consistency">As the recovery point has it.</param>
/// <param name="Frozen">How long the file systems stood still, from the call that freezes them to the return of the one that thaws them; null: they did not.</param>
/// <param name="Notes">What the machine's owner should know.</param>
internal sealed record LiveBackup(IReadOnlyList<BackupDisk> Disks, TrackingToken? Tracking, Guid? ChangesSince, BackupServer Server, string Consistency, TimeSpan? Frozen, IReadOnlyList<string> Notes);

/// <summary>Begins backup jobs of running domains: freeze, checkpoint and backup of all disks in one go, thaw. Blocks.</summary>
internal sealed class LiveBackupStart(LibvirtConnection connection, LibvirtDomain domain, LibvirtMachine machine, MachineSnapshotRequest request, BackupPlace place, Func<int, FreezeGuard?> startGuard, ILogger log)
{
    private readonly TraceNames _names = new(request.ItemKey);
    private readonly HostTraces _traces = new(connection, domain, machine.Host, request.ItemKey, log);
    private readonly List<string> _notes = [];
    private readonly int _run = domain.RunNumber;

    /// <exception cref="LibvirtException">The host refuses. Nothing is left of the try.</exception>
    public LiveBackup Begin()
    {
        var parent = KnownChanges.Find(request.ParentTracking, machine, domain.ListCheckpoints(), _notes);
        _traces.Remove(keep: parent?.Checkpoint);
        RequireNobodyElse();
        ThawWhatWasLeft();
        var agent = new GuestAgent(domain);
        var silence = request.MayFreeze ? Silence(agent) : null;
        var mayFreeze = request.MayFreeze && silence is null;
        if (silence is not null) _notes.Add($"The machine was not asked to hold still: {silence}");
        var pre = mayFreeze ? agent.Run(GuestAgent.PreScript) : ScriptEnd.Absent;
        try
        {
            return BeginFrozen(agent, mayFreeze, parent, pre);
        }
        finally
        {
            if (pre != ScriptEnd.Absent && agent.Run(GuestAgent.PostScript) == ScriptEnd.Failed) log.LogWarning("The script {Script} of machine {Machine} failed", GuestAgent.PostScript, machine.Machine.Name);
        }
    }

    /// <exception cref="LibvirtException">A backup that is not of ours is under way.</exception>
    private void RequireNobodyElse()
    {
        if (domain.FindBackup() is not null) throw new LibvirtException(LibvirtException.OperationInvalid, "another program is backing this machine up");
    }

    /// <summary>A run that died between freeze and thaw, and its guard with it, left the machine frozen.</summary>
    private void ThawWhatWasLeft()
    {
        var agent = new GuestAgent(domain);
        if (!machine.Domain.HasAgentChannel || agent.FindSilence() is not null || !agent.IsFrozen) return;
        log.LogWarning("The file systems of machine {Machine} were found frozen; they are thawed", machine.Machine.Name);
        domain.Thaw();
    }

    private string? Silence(GuestAgent agent) => machine.Domain.HasAgentChannel ? agent.FindSilence() : "it has no channel for QEMU's guest agent.";

    private LiveBackup BeginFrozen(GuestAgent agent, bool mayFreeze, KnownChanges? parent, ScriptEnd pre)
    {
        var mayMakeScratch = true;
        for (var attempt = 1; ; attempt++)
        {
            var (disks, others) = Disks(parent);
            var making = mayMakeScratch ? ScratchFiles.TryCreateAsync(machine.Host, [.. disks.Select(disk => (disk.ScratchFile, disk.SizeBytes))]) : Task.FromResult(false);
            // One for each freeze: a guard ends with the thaw.
            using var guard = mayFreeze ? startGuard(_run) : null;
            if (mayFreeze && guard is null) _notes.Add("The machine was not asked to hold still: the process that guards a freeze did not start.");
            var name = _names.Checkpoint(request.Run, attempt);
            var checkpoint = BackupXml.Checkpoint(name, disks, others);
            // On this thread, which may block.
            var hasScratch = making.GetAwaiter().GetResult();
            var server = place.Server;
            var stopwatch = Stopwatch.StartNew();
            var frozen = guard is not null && TryFreeze();
            try
            {
                domain.BeginBackup(BackupXml.Backup(server, disks, others), checkpoint, hasScratch);
            }
            catch (LibvirtException exception)
            {
                if (frozen) Thaw(guard!);
                if (!exception.IsOfConnection && domain.RunNumber == _run && place.TryNext(exception))
                {
                    log.LogInformation("The disks of machine {Machine} cannot be served at {Server}: {Reason}", machine.Machine.Name, server.Address, exception.Message);
                    continue;
                }

                if (exception.IsOfConnection || domain.RunNumber != _run || (parent is null && !hasScratch))
                {
                    _traces.RemoveFiles();
                    throw;
                }

                // A checkpoint whose bitmaps are broken is of no use to anybody; another one may be.
                var keep = exception.Code == LibvirtException.CheckpointInconsistent ? null : parent?.Checkpoint;
                // QEMU's user may be one that libvirt does not give our files to.
                if (hasScratch && (parent is null || exception.Message.Contains(machine.Host.ScratchPath, StringComparison.Ordinal)))
                {
                    log.LogInformation("The host makes the scratch files of machine {Machine} itself: {Reason}", machine.Machine.Name, exception.Message);
                    mayMakeScratch = false;
                }
                else
                {
                    // Missing, inconsistent, of another size: whatever it is, the bitmaps are of no use, and the disks tell by themselves what has changed.
                    _notes.Add($"All disks are read and compared: {exception.Message}.");
                    parent = null;
                }

                _traces.Remove(keep);
                continue;
            }

            var isThawed = frozen && TryThaw();
            var took = stopwatch.Elapsed;
            // Not ours: the guard thawed first, so that the snapshot may be of a machine that moved.
            var isOurs = !frozen || (isThawed && guard!.End());
            if (!isOurs) _notes.Add("The snapshot took so long that the machine was let go before it.");
            var isConsistent = frozen && isOurs;
            return new(disks, checkpoint is null ? null : Tracking(name, disks), parent?.PointId, server, isConsistent ? Consistency(agent, pre) : "CrashConsistent", isConsistent ? took : null, [.. _notes.Distinct(StringComparer.Ordinal)]);
        }
    }

    private TrackingToken Tracking(string checkpoint, List<BackupDisk> disks)
    {
        var tracked = disks.Where(disk => disk.HasBitmap).Select(disk => disk.Target).ToHashSet(StringComparer.Ordinal);
        return new(machine.Machine.VmId, checkpoint, request.PointId, machine.Domain.Disks.Where(disk => tracked.Contains(disk.Target)).ToImmutableSortedDictionary(disk => disk.Target, disk => DiskIdentity.Of(machine.Host, disk), StringComparer.Ordinal));
    }

    /// <summary>Windows' writers take part in a freeze (VSS); a Linux machine's applications do where its owner's script says so.</summary>
    private string Consistency(GuestAgent agent, ScriptEnd pre)
    {
        if (pre == ScriptEnd.Failed) _notes.Add($"The script {GuestAgent.PreScript} failed, so that the applications are not known to be ready.");
        return pre == ScriptEnd.Succeeded || (pre == ScriptEnd.Absent && agent.IsWindows) ? "AppConsistent" : "FileSystemConsistent";
    }

    private bool TryFreeze()
    {
        try
        {
            domain.Freeze();
            return true;
        }
        catch (LibvirtException exception)
        {
            _notes.Add($"The file systems could not be frozen: {exception.Message}.");
            // Some may be.
            TryThaw();
            return false;
        }
    }

    private void Thaw(FreezeGuard guard)
    {
        // When it cannot be done here, the guard goes on trying.
        if (TryThaw()) guard.End();
    }

    private bool TryThaw()
    {
        try
        {
            domain.Thaw();
            return true;
        }
        catch (LibvirtException exception)
        {
            log.LogError("The file systems of machine {Machine} could not be thawed: {Reason}", machine.Machine.Name, exception.Message);
            return false;
        }
    }

    private (List<BackupDisk> Disks, List<string> Others) Disks(KnownChanges? parent)
    {
        var disks = new List<BackupDisk>();
        var others = new List<string>();
        IReadOnlySet<string> tracked = parent is null ? ImmutableHashSet<string>.Empty : domain.TrackedDisks(parent.Checkpoint);
        foreach (var (disk, described) in machine.Machine.Disks.Zip(machine.Domain.Disks))
        {
            if (!request.Selects(disk.Lun))
            {
                others.Add(disk.Name);
                continue;
            }

            var hasBitmap = described.Format == "qcow2";
            if (!hasBitmap) _notes.Add($"Disk '{disk.Name}' is read and compared: the host keeps no track of changes to {described.Format} disks.");
            var since = hasBitmap && tracked.Contains(disk.Name) ? parent : null;
            if (since?.AreOf(described, out var reason) == false)
            {
                _notes.Add(reason);
                since = null;
            }

            disks.Add(new(disk.Name, TraceNames.Export(disk.Name), checked((long)domain.BlockInfo(disk.Name).Capacity), Path.Combine(machine.Host.ScratchPath, _names.Scratch(request.Run, disk.Name)), hasBitmap, since?.Checkpoint));
        }

        return (disks, others);
    }
}
