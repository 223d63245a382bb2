using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Blocks.Raw;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>The disks of a folder's machine, held open from the first look to the last.</summary>
/// <remarks>
/// Nothing is frozen: the files are read as they lie there, as after a power cut, hence <c>CrashConsistent</c>. That is one moment only if nobody writes meanwhile;
/// <see cref="FindChangesAsync"/> tells, from size, times and identity of every file that was read, backing files among them. The file system's times have the
/// granularity of the kernel's tick, so a single write within the few milliseconds before the snapshot's own look could go unseen.
/// </remarks>
internal sealed class FolderSnapshot : IMachineSnapshot
{
    private readonly AllowedRoots _roots;
    private readonly Lock _lock = new();
    private readonly List<HeldFile> _held = []; // guarded by _lock

    private FolderSnapshot(FolderMachine machine, AllowedRoots roots)
    {
        Machine = machine.Machine;
        _roots = roots;
        Disks = [.. machine.Files.Select(place => Hold(place.Disk, place.Path))];
    }

    public string Consistency => "CrashConsistent";

    public IReadOnlyList<IMachineSnapshotDisk> Disks { get; }

    public VirtualMachine Machine { get; }

    /// <exception cref="MachineException">A disk cannot be opened.</exception>
    public static FolderSnapshot Take(FolderMachine machine, AllowedRoots roots) => new(machine, roots);

    public Task<IReadOnlyList<string>> FindChangesAsync(CancellationToken cancellationToken)
    {
        HeldFile[] held;
        lock (_lock)
            held = [.. _held];
        var changes = new List<string>();
        foreach (var file in held)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (file.FindChange() is { } change)
                changes.Add($"{file.DiskName}: {change}");
        }

        return Task.FromResult<IReadOnlyList<string>>(changes);
    }

    public ValueTask DisposeAsync()
    {
        CloseAll();
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens a backing file for a disk, and watches it with the rest.</summary>
    public DiskFile? OpenBackingFile(string diskName, string path)
    {
        try
        {
            return Hold(diskName, _roots.OpenFile(path)).File.Reopen();
        }
        catch (PathRefusedException)
        {
            return null;
        }
    }

    private FolderSnapshotDisk Hold(MachineDisk disk, string path)
    {
        try
        {
            var held = Hold(disk.Name, _roots.OpenFile(path));
            return new(this, disk, held.File, held.Before);
        }
        catch (IOException exception)
        {
            CloseAll();
            throw new MachineException(MachineProblem.DiskUnreadable, $"Disk '{disk.Name}' cannot be read.", exception);
        }
    }

    private HeldFile Hold(string diskName, DiskFile file)
    {
        try
        {
            var held = new HeldFile(diskName, file, file.Identity);
            lock (_lock)
                _held.Add(held);
            return held;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void CloseAll()
    {
        lock (_lock)
        {
            foreach (var file in _held)
                file.File.Dispose();
        }
    }

    /// <summary>A file that is read, and what it was when it was opened.</summary>
    private sealed record HeldFile(string DiskName, DiskFile File, FileIdentity Before)
    {
        /// <summary>What gives away that it was changed, or null.</summary>
        public string? FindChange()
        {
            try
            {
                var now = File.Identity;
                if (now.LengthBytes != Before.LengthBytes)
                    return $"its size changed from {Before.LengthBytes} to {now.LengthBytes} bytes";
                if (now.ModifiedNanoseconds != Before.ModifiedNanoseconds)
                    return "it was written";
                if (now.ChangedNanoseconds != Before.ChangedNanoseconds)
                    return "it was written, renamed, or its attributes were changed";
                using var place = PathHandle.Open(File.Path);
                return place.Identity is var there && (there.Device, there.Inode) != (now.Device, now.Inode) ? "another file took its place" : null;
            }
            catch (IOException)
            {
                return "it cannot be found any more";
            }
        }
    }
}
