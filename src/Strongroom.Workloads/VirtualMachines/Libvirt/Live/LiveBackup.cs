using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
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
internal sealed record LiveBackup(IReadOnlyList<BackupDisk> Disks, TrackingToken? Tracking, Guid? ChangesSince, BackupServer Server, string Consistency, TimeSpan? Frozen, IReadOnlyList<string> Notes)
{
    /// <summary>The owner's script before the snapshot was run; the one after it is due, and may take minutes, in which the scratch space is to be watched.</summary>
    public bool OwesPostScript { get; init; }
}

/// <summary>Begins backup jobs of running domains: freeze, checkpoint and backup of all disks in one go, thaw. Blocks.</summary>
internal sealed class LiveBackupStart(LibvirtConnection connection, LibvirtDomain domain, LibvirtMachine machine, MachineSnapshotRequest request, BackupPlace place, Func<int, FreezeGuard?> startGuard, ILogger log)
{
    /// <summary>For as long libvirt may say of a backup that another program just begins what it says of one that is lost.</summary>
    private static readonly TimeSpan OtherBegins = TimeSpan.FromSeconds(3);

    private readonly TraceNames _names = new(request.ItemKey);
    private readonly HostTraces _traces = new(connection, domain, machine.Host, request.ItemKey, log);
    private readonly List<string> _notes = [];
    private readonly int _run = domain.RunNumber;

    /// <exception cref="LibvirtException">The host refuses. Nothing is left of the try.</exception>
    public LiveBackup Begin()
    {
        // Before anything that would wait for that backup's end, half a minute each time.
        RequireNoneLost();
        var parent = KnownChanges.Find(request.ParentTracking, machine, domain.ListCheckpoints(), _notes);
        // A job that runs for the second time has died before; what it left may be less than a file.
        var follows = request.Run.Fence > 1 || _traces.AreThere(keep: parent?.Checkpoint);
        _traces.Remove(keep: parent?.Checkpoint);
        RequireNobodyElse();
        var agent = new GuestAgent(domain);
        var silence = Silence(agent, follows);
        var mayFreeze = request.MayFreeze && silence is null;
        if (request.MayFreeze && silence is not null) _notes.Add($"The machine was not asked to hold still: {silence}");
        // It may have died between the two scripts.
        if (follows && mayFreeze) RunPostScript(agent);
        var pre = mayFreeze ? agent.Run(GuestAgent.PreScript) : ScriptEnd.Absent;
        try
        {
            return BeginFrozen(agent, mayFreeze, parent, pre) with { OwesPostScript = pre != ScriptEnd.Absent };
        }
        catch
        {
            if (pre != ScriptEnd.Absent) RunPostScript(agent);
            throw;
        }
    }

    private void RunPostScript(GuestAgent agent) => RunPostScript(agent, machine, log);

    public static void RunPostScript(GuestAgent agent, LibvirtMachine machine, ILogger log)
    {
        if (agent.Run(GuestAgent.PostScript) == ScriptEnd.Failed) log.LogWarning("The script {Script} of machine {Machine} failed", GuestAgent.PostScript, machine.Machine.Name);
    }

    /// <exception cref="LibvirtException">libvirt has lost a backup, and lets none begin.</exception>
    private void RequireNoneLost()
    {
        var started = Environment.TickCount64;
        while (domain.HasLostBackup())
        {
            if (Environment.TickCount64 - started > OtherBegins.TotalMilliseconds)
                throw new LibvirtException(LibvirtException.OperationInvalid, "libvirtd died while it began a backup of this machine, and lets no other begin; shut the machine down, restart libvirtd and start the machine");
            Pause.For(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <exception cref="LibvirtException">A backup that is not of ours is under way.</exception>
    private void RequireNobodyElse()
    {
        if (domain.FindBackup() is not null) throw new LibvirtException(LibvirtException.OperationInvalid, "another program is backing this machine up");
    }

    /// <summary>Why the machine must not be asked to hold still; null: it may be. A run of ours that died between freeze and thaw, and its guard with it, left it frozen: then it is thawed.</summary>
    /// <param name="follows">There was a run of ours that died.</param>
    private string? Silence(GuestAgent agent, bool follows)
    {
        if (!machine.Domain.HasAgentChannel) return "it has no channel for QEMU's guest agent.";
        if (agent.FindSilence() is { } silence) return silence;
        if (!agent.IsFrozen) return null;
        if (!follows) return "its file systems were found frozen, by another program or by hand.";
        log.LogWarning("The file systems of machine {Machine} were found frozen after a run that died; they are thawed", machine.Machine.Name);
        domain.Thaw();
        return null;
    }

    private LiveBackup BeginFrozen(GuestAgent agent, bool mayFreeze, KnownChanges? parent, ScriptEnd pre)
    {
        var mayMakeScratch = true;
        for (var attempt = 1; ; attempt++)
        {
            var (disks, others) = Disks(parent);
            // On this thread, which may block; and before the guard starts, whose time is short.
            var hasScratch = mayMakeScratch && ScratchFiles.TryCreateAsync(machine.Host, [.. disks.Select(disk => (disk.ScratchFile, disk.SizeBytes))]).GetAwaiter().GetResult();
            var name = _names.Checkpoint(request.Run, attempt);
            var checkpoint = BackupXml.Checkpoint(name, disks, others);
            var server = place.Server;
            // One for each try: a guard ends with the thaw.
            using var freeze = mayFreeze ? new GuestFreeze(domain.Freeze, domain.Thaw, () => startGuard(_run), _notes, log) : null;
            try
            {
                domain.BeginBackup(BackupXml.Backup(server, disks, others), checkpoint, hasScratch);
            }
            catch (LibvirtException exception)
            {
                freeze?.Dispose();
                (parent, mayMakeScratch) = NextTry(exception, server, parent, hasScratch, mayMakeScratch);
                continue;
            }

            freeze?.End();
            var consistency = freeze?.Held is null ? "CrashConsistent" : Consistency(agent, pre);
            return new(disks, checkpoint is null ? null : Tracking(name, disks), parent?.PointId, server, consistency, freeze?.Held, [.. _notes.Distinct(StringComparer.Ordinal)]);
        }
    }

    /// <summary>Asked of the host: a domain that is held here keeps the number that it was found with.</summary>
    private bool IsSameRun()
    {
        try
        {
            using var now = connection.FindDomain(machine.Machine.VmId);
            return now?.RunNumber == _run;
        }
        catch (LibvirtException)
        {
            return false;
        }
    }

    /// <summary>What to try after a refusal.</summary>
    /// <exception cref="LibvirtException">Nothing: this is the refusal.</exception>
    private (KnownChanges? Parent, bool MayMakeScratch) NextTry(LibvirtException exception, BackupServer server, KnownChanges? parent, bool hasScratch, bool mayMakeScratch)
    {
        // What has the machine now will have it at the next try too, and the machine would be held still meanwhile.
        var mayGoOn = !exception.IsOfConnection && exception.Code != LibvirtException.OperationTimeout && IsSameRun();
        if (mayGoOn && place.TryNext(exception))
        {
            log.LogInformation("The disks of machine {Machine} cannot be served at {Server}: {Reason}", machine.Machine.Name, server.Address, exception.Message);
            return (parent, mayMakeScratch);
        }

        if (!mayGoOn || (parent is null && !hasScratch))
        {
            _traces.RemoveFiles();
            ExceptionDispatchInfo.Throw(exception);
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
        return (parent, mayMakeScratch);
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
            if (!hasBitmap) _notes.Add($"Disk '{disk.Name}' is read whole: the host keeps no track of changes to {described.Format} disks.");
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
