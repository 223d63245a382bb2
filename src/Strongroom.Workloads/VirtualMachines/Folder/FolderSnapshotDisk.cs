using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Blocks.Raw;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>A disk of a <see cref="FolderSnapshot"/>; the file itself is the snapshot's.</summary>
internal sealed class FolderSnapshotDisk(FolderSnapshot snapshot, MachineDisk disk, DiskFile file, FileIdentity identity) : IMachineSnapshotDisk
{
    public MachineDisk Disk => disk;

    /// <inheritdoc/>
    /// <remarks>By the machine's clock and no other: the file's times are of it.</remarks>
    public string? ResumeToken { get; } = identity.NameContent(DiskFiles.FormatOf(file), TimeProvider.System.GetUtcNow());

    public async Task<IBlockSource> OpenAsync(bool sinceParent, CancellationToken cancellationToken)
    {
        try
        {
            var options = new DiskOpenOptions { Format = DiskFiles.FormatOf(file) };
            if (DiskFiles.MayHaveBackingFile(file))
                options = options with { OpenBackingFile = (path, _) => new ValueTask<DiskFile?>(snapshot.OpenBackingFile(disk.Name, path)) };
            return await DiskImage.OpenAsync(file.Reopen(), options, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw new MachineException(MachineProblem.DiskUnsupported, $"Disk '{disk.Name}' cannot be backed up: {exception.Message}", exception);
        }
        catch (ToolMissingException exception)
        {
            throw new MachineException(MachineProblem.ToolMissing, exception.Message, exception);
        }
        catch (DiskInUseException exception)
        {
            throw new MachineException(MachineProblem.DiskInUse, $"Disk '{disk.Name}' is in use by another process, as the disk of a running machine is.", exception);
        }
        catch (IOException exception)
        {
            throw new MachineException(MachineProblem.DiskUnreadable, $"Disk '{disk.Name}' cannot be read: {exception.Message}", exception);
        }
    }
}
