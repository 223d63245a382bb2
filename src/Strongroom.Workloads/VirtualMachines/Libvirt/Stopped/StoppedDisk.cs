using System.Runtime.CompilerServices;
using Strongroom.Backup.Machines;
using Strongroom.Blocks;
using Strongroom.Blocks.Qcow2;
using Strongroom.Blocks.Raw;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Stopped;

/// <summary>A disk of a machine that does not run, open from the snapshot on.</summary>
internal sealed class StoppedDisk : IMachineSnapshotDisk, IAsyncDisposable
{
    private readonly DiskFile _file;
    private readonly FileIdentity _identity;
    private readonly long? _writes;
    private readonly IBlockSource _source;

    private StoppedDisk(MachineDisk disk, DiskFile file, FileIdentity identity, long? writes, IBlockSource source, bool knowsChanges)
    {
        Disk = disk;
        _file = file;
        _identity = identity;
        _writes = writes;
        _source = source;
        KnowsChanges = knowsChanges;
    }

    public MachineDisk Disk { get; }

    public bool KnowsChanges { get; }

    /// <param name="checkpoint">Whose bitmap tells what has changed since the parent; null: none does.</param>
    /// <param name="notes">Gets a sentence where the bitmap is of no use.</param>
    /// <exception cref="MachineException">The disk cannot be read.</exception>
    public static async Task<StoppedDisk> OpenAsync(MachineDisk disk, DomainDisk described, string? checkpoint, List<string> notes, CancellationToken cancellationToken)
    {
        if (described.Source is not { } path || described.Format is not ("raw" or "qcow2"))
            throw new MachineException(MachineProblem.DiskUnsupported, $"Disk '{disk.Name}' ({described.SourceType}, {described.Format}) can be read only while the machine runs.");
        DiskFile? file = null;
        try
        {
            file = DiskFile.OpenFileOrDevice(Path.GetFullPath(ResolveLinks(path)), isShared: true);
            var (identity, writes) = (file.Identity, Writes(file));
            // libvirt's description says what the format is; what a guest wrote into a raw disk does not. Backing files are what the host's administrator made them.
            var options = new DiskOpenOptions
            {
                Format = described.Format == "qcow2" ? DiskFormat.Qcow2 : DiskFormat.Raw,
                IsShared = true,
                OpenBackingFile = static (backing, _) => new ValueTask<DiskFile?>(DiskFile.OpenFileOrDevice(Path.GetFullPath(ResolveLinks(backing)), isShared: true)),
            };
            var (source, knows) = await OpenAsync(file, options, described.Format == "qcow2" ? checkpoint : null, notes, cancellationToken);
            return new(disk, file, identity, writes, source, knows);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw Explain(disk, exception);
        }
    }

    public Task<IBlockSource> OpenAsync(bool sinceParent, CancellationToken cancellationToken) =>
        Task.FromResult<IBlockSource>(new Borrowed(_source, hidesUnchanged: KnowsChanges && !sinceParent));

    /// <summary>What gives away that the disk was written since the snapshot, or null.</summary>
    public string? FindChange()
    {
        try
        {
            if (_source is QemuNbdSource image) image.RequireUnwritten();
            return _file.Identity != _identity || Writes(_file) != _writes ? $"{Disk.Name}: it was written" : null;
        }
        catch (DiskInUseException)
        {
            return $"{Disk.Name}: it was written, or is in use";
        }
        catch (IOException)
        {
            return $"{Disk.Name}: it cannot be examined any more";
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        _file.Dispose();
    }

    private static async Task<(IBlockSource Source, bool KnowsChanges)> OpenAsync(DiskFile file, DiskOpenOptions options, string? bitmap, List<string> notes, CancellationToken cancellationToken)
    {
        if (bitmap is not null)
        {
            try
            {
                return (await DiskImage.OpenAsync(file.Reopen(), options with { DirtyBitmap = bitmap }, cancellationToken), true);
            }
            catch (DirtyBitmapUnusableException exception)
            {
                notes.Add($"The disk is read and compared: {exception.Message}");
            }
        }

        return (await DiskImage.OpenAsync(file.Reopen(), options, cancellationToken), false);
    }

    /// <summary>A disk's path may be a link: libvirt follows it.</summary>
    private static string ResolveLinks(string path) => new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;

    /// <summary>Sectors that were written to a block device so far (Documentation/block/stat.rst); null for a file, whose times tell.</summary>
    private static long? Writes(DiskFile file)
    {
        if (!file.IsDevice) return null;
        var statistics = $"/sys/class/block/{Path.GetFileName(file.RealPath)}/stat";
        return File.Exists(statistics) ? long.Parse(File.ReadAllText(statistics).Split(' ', StringSplitOptions.RemoveEmptyEntries)[6], System.Globalization.CultureInfo.InvariantCulture) : null;
    }

    private static MachineException Explain(MachineDisk disk, Exception exception) => exception switch
    {
        InvalidDataException => new(MachineProblem.DiskUnsupported, $"Disk '{disk.Name}' cannot be backed up: {exception.Message}", exception),
        ToolMissingException => new(MachineProblem.ToolMissing, exception.Message, exception),
        DiskInUseException => new(MachineProblem.DiskInUse, $"Disk '{disk.Name}' is in use by another process.", exception),
        _ => new(MachineProblem.DiskUnreadable, $"Disk '{disk.Name}' cannot be read: {exception.Message}", exception),
    };

    /// <summary>The disk for a reader; it stays the snapshot's.</summary>
    private sealed class Borrowed(IBlockSource disk, bool hidesUnchanged) : IBlockSource
    {
        public long LengthBytes => disk.LengthBytes;

        public async IAsyncEnumerable<BlockExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var extent in disk.MapAsync(cancellationToken))
                yield return hidesUnchanged && extent.Kind == BlockKind.Unchanged ? extent with { Kind = BlockKind.Data } : extent;
        }

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => disk.ReadAsync(offsetBytes, buffer, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
