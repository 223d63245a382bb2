using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Folder.Restores;

/// <summary>Disks in the place of a machine's own: made in a stage beside the machine's folder, which then changes places with it.</summary>
/// <remarks>
/// The stage becomes the machine's folder: besides the new disks it gets every other file of it, as a second name of the same file. Then the two folders
/// are exchanged in one step of the file system. Whenever the server ends, the machine has all its old disks or all its new ones; the old ones are removed after that.
/// All disks of the machine are locked from the begin to the end, so that it cannot be started in between.
/// </remarks>
internal sealed class FolderReplacement : IMachineRestore
{
    private readonly FolderMachine _machine;
    private readonly HostRun _run;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly List<DiskLock> _locks;
    private readonly string _stage;
    private readonly Dictionary<string, string?> _disks = new(StringComparer.Ordinal); // file name of each new disk, and the file it replaces
    private bool _isExchanged;

    private FolderReplacement(FolderMachine machine, HostRun run, List<DiskLock> locks, string stage, TimeProvider time, ILogger log) =>
        (_machine, _run, _locks, _stage, _time, _log) = (machine, run, locks, stage, time, log);

    public bool IsCommitted => false;

    /// <exception cref="MachineException">A disk is in use, or may not be written.</exception>
    public static FolderReplacement Begin(FolderMachine machine, HostRun run, TimeProvider time, ILogger log)
    {
        var locks = new List<DiskLock>();
        try
        {
            foreach (var disk in machine.Files) locks.Add(Lock(machine, disk));
            return new(machine, run, locks, RestoreStage.Create(Path.GetDirectoryName(machine.Folder)!, run), time, log);
        }
        catch
        {
            locks.ForEach(held => held.Dispose());
            throw;
        }
    }

    public Task<IDiskWriter> CreateDiskAsync(MachineDisk disk, CancellationToken cancellationToken)
    {
        var replaced = _machine.Files.FirstOrDefault(place => place.Disk.Name == disk.Name);
        if (replaced is not null && Path.GetDirectoryName(replaced.Path) != _machine.Folder)
            throw new MachineException(MachineProblem.DiskUnsupported, $"Disk '{disk.Name}' of '{_machine.Machine.Name}' is a link to another folder, where it cannot be replaced together with the others.");
        var name = replaced is null ? NewName(disk) : Path.GetFileName(replaced.Path);
        _disks.Add(name, replaced?.Path);
        var format = DiskFiles.FormatToWrite(name, replaced?.Disk.Format ?? disk.Format);
        return Task.FromResult(DiskWriters.Create(Path.Combine(_stage, name), format, disk.SizeBytes, Guid.NewGuid(), _time.GetUtcNow()));
    }

    public Task CommitAsync(CancellationToken cancellationToken) => Task.Run(Commit, cancellationToken);

    public ValueTask DisposeAsync()
    {
        try
        {
            if (!_isExchanged && Directory.Exists(_stage)) Directory.Delete(_stage, recursive: true);
        }
        finally
        {
            _locks.ForEach(held => held.Dispose());
        }

        return ValueTask.CompletedTask;
    }

    private void Commit()
    {
        foreach (var (name, replaced) in _disks)
        {
            // A disk that the machine does not have now is for its owner alone, like those of a new machine.
            if (replaced is null) FolderChanges.CopyOwner(_machine.Folder, Path.Combine(_stage, name));
            else CopyMode(replaced, Path.Combine(_stage, name));
        }

        foreach (var path in Directory.GetFileSystemEntries(_machine.Folder)) Carry(path);
        var marker = new RestoreMarker(_run.JobId, [.. _disks.Keys]);
        marker.Write(_stage);
        CopyMode(_machine.Folder, _stage);
        FolderChanges.Synchronise(_stage);
        FolderChanges.Exchange(_stage, _machine.Folder);
        _isExchanged = true;
        try
        {
            RestoreStage.Finish(_stage, _machine.Folder, marker);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The machine is restored; the server's next start clears up.
            _log.LogWarning(exception, "The old disks of '{Machine}' could not be removed from '{Folder}'", _machine.Machine.Name, _stage);
        }
    }

    /// <summary>Gives the stage what the machine's folder has besides the disks; folders follow after the exchange, since they cannot have two names.</summary>
    private void Carry(string path)
    {
        var name = Path.GetFileName(path);
        var file = new FileInfo(path);
        if (name == RestoreMarker.FileName || _disks.ContainsKey(name)) return;
        var place = Path.Combine(_stage, name);
        if (file.LinkTarget is { } target) File.CreateSymbolicLink(place, target);
        else if (file.Exists) FolderChanges.Link(path, place);
    }

    /// <summary>The file of a disk that the machine does not have now: where its description names it, that.</summary>
    private string NewName(MachineDisk disk) =>
        disk.IsOs && _machine.OsDisk is { } named && Path.GetFileName(named) == named && DiskFiles.IsDisk(named) && _machine.Files.All(place => Path.GetFileName(place.Path) != named)
            ? named
            : DiskFiles.NameOf(disk.Name, disk.Format);

    private static void CopyMode(string from, string to)
    {
        FolderChanges.CopyOwner(from, to);
        File.SetUnixFileMode(to, File.GetUnixFileMode(from));
    }

    private static DiskLock Lock(FolderMachine machine, DiskPlace disk)
    {
        try
        {
            return DiskLock.Take(disk.Path);
        }
        catch (DiskInUseException exception)
        {
            throw new MachineException(MachineProblem.DiskInUse, $"Virtual machine '{machine.Machine.Name}' runs, or its disk '{disk.Disk.Name}' is in use otherwise.", exception);
        }
        catch (IOException exception)
        {
            throw new MachineException(MachineProblem.NotWritable, $"Disk '{disk.Disk.Name}' of '{machine.Machine.Name}' cannot be written by the server.", exception);
        }
    }
}
