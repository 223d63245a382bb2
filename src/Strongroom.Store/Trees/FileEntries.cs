using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>A pack that a manifest refers to.</summary>
internal readonly record struct ManifestPackQuery(PackContent Content, uint PackSeq);

/// <summary>Makes the entries of a backup's files, and counts them. Thread-safe.</summary>
internal sealed class FileEntries(
    ManifestReader tree, ISessionChunks chunks, FileContent content, TimeProvider clock, Func<ManifestPackQuery, bool> hasPack)
{
    private const int SettlingSeconds = 2;
    private readonly OwnerNames owners = new();
    private long folders;
    private long count;
    private long unchanged;
    private long bytes;

    public ProblemList Problems { get; } = new();

    public TreeStatistics ToStatistics() =>
        new(Interlocked.Read(ref folders), Interlocked.Read(ref count), Interlocked.Read(ref unchanged), Interlocked.Read(ref bytes));

    public void Report(IProgress<TreeProgress>? progress) =>
        progress?.Report(new(Interlocked.Read(ref folders) + Interlocked.Read(ref count), Interlocked.Read(ref bytes)));

    public void CountFolder() => Interlocked.Increment(ref folders);

    /// <summary>An entry without attributes and content.</summary>
    public TreeEntry Describe(FileStat stat, byte[] name, uint device) => new()
    {
        Kind = stat.Kind,
        Flags = stat.Kind == TreeEntryKind.File && FileContent.IsSparse(stat) ? TreeEntryFlags.Sparse : TreeEntryFlags.None,
        Name = name,
        Mode = stat.Mode,
        UserId = stat.UserId,
        GroupId = stat.GroupId,
        UserName = owners.OfUser(stat.UserId),
        GroupName = owners.OfGroup(stat.GroupId),
        ModifiedAt = stat.ModifiedAt,
        ChangedAt = stat.ChangedAt,
        Inode = stat.Inode,
        Device = device,
        Links = stat.Links,
        DeviceMajor = stat.Kind is TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice ? stat.DeviceMajor : 0,
        DeviceMinor = stat.Kind is TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice ? stat.DeviceMinor : 0,
    };

    public IReadOnlyList<ExtendedAttribute> ReadAttributes(SafeFileHandle file, TreePath path) => Guard(() => AttributeCalls.Read(file), path);

    /// <summary>True when the parent's entry says all that there is to say: nothing is read then.</summary>
    public async ValueTask<bool> IsUnchangedAsync(TreeEntry parent, FileStat stat, CancellationToken cancellationToken) =>
        parent.Kind == stat.Kind
        && (parent.Flags & (TreeEntryFlags.NotSettled | TreeEntryFlags.ChangedWhileRead)) == 0
        && parent.HasContent
        && (parent.Inode, parent.ModifiedAt, parent.ChangedAt, parent.Links) == (stat.Inode, stat.ModifiedAt, stat.ChangedAt, stat.Links)
        && (parent.Kind != TreeEntryKind.File || parent.LengthBytes == stat.LengthBytes)
        && await HasPacksAsync(parent, cancellationToken);

    public TreeEntry TakeUnchanged(TreeEntry parent, uint device)
    {
        Interlocked.Increment(ref unchanged);
        chunks.Counters.AddUnchanged(parent.LengthBytes);
        return Count(parent with { Device = device });
    }

    /// <summary>A further name of a file that was met before: what is known of it is what was read then.</summary>
    public async Task<TreeEntry?> TakeLinkedAsync(Task<TreeEntry?> first, byte[] name)
    {
        var entry = await first;
        return entry is null ? null : Count(entry with { Name = name });
    }

    /// <summary>A symbolic link, FIFO, socket or device.</summary>
    public TreeEntry ReadSpecial(FolderHandle folder, FileStat stat, byte[] name, uint device, TreePath path)
    {
        var isSettled = IsSettled(stat);
        var entry = Describe(stat, name, device) with
        {
            Attributes = Guard(() => AttributeCalls.Read(folder, name), path),
            LinkTarget = stat.Kind == TreeEntryKind.SymbolicLink ? folder.ReadLink(name) : default,
        };
        return Count(isSettled ? entry : entry with { Flags = entry.Flags | TreeEntryFlags.NotSettled });
    }

    /// <summary>Reads an open file. Null when it is no file any more.</summary>
    public async Task<TreeEntry?> ReadFileAsync(
        SafeFileHandle file, byte[] name, uint device, TreeEntry? parent, TreePath path, CancellationToken cancellationToken)
    {
        var stat = FileStat.Of(file);
        if (stat.Kind != TreeEntryKind.File)
        {
            Problems.Add(path, "It was replaced while the folder was read.");
            return null;
        }

        try
        {
            var isSettled = IsSettled(stat);
            var read = await content.ReadAsync(file, await ReadParentNodesAsync(parent, cancellationToken), cancellationToken);
            if (read.HasChanged)
                Problems.Add(path, "The file changed each time that it was read: its content may be of two moments.");
            var entry = Describe(read.Stat, name, device);
            return Count(entry with
            {
                Flags = entry.Flags
                    | (read.HasChanged ? TreeEntryFlags.ChangedWhileRead : 0)
                    | (isSettled && IsSettled(read.Stat) ? 0 : TreeEntryFlags.NotSettled),
                Attributes = ReadAttributes(file, path),
                Inline = read.Inline,
                Stream = read.Stream,
            });
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Problems.Add(path, $"The file cannot be read: {failure.Message}");
            return Count(Describe(stat, name, device));
        }
    }

    private TreeEntry Count(TreeEntry entry)
    {
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, entry.LengthBytes);
        return entry;
    }

    /// <summary>A change that comes later than now bears another change time than the file has.</summary>
    private bool IsSettled(FileStat stat) => stat.ChangedAt.Seconds + SettlingSeconds < clock.GetUtcNow().ToUnixTimeSeconds();

    private IReadOnlyList<ExtendedAttribute> Guard(Func<IReadOnlyList<ExtendedAttribute>> read, TreePath path)
    {
        try
        {
            return read();
        }
        catch (IOException failure)
        {
            Problems.Add(path, $"Its extended attributes cannot be read: {failure.Message}.");
            return [];
        }
    }

    /// <summary>False when something of the file is lost in the vault: as long as the source has it, it is stored anew.</summary>
    private async ValueTask<bool> HasPacksAsync(TreeEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Kind != TreeEntryKind.File || entry.Stream is not { LengthBytes: > 0 } stream)
            return true;
        if (stream.Height > 0 && !hasPack(new(PackContent.Nodes, stream.Root.PackSeq)))
            return false;
        try
        {
            await foreach (var (_, record) in StreamRecords.ReadAllAsync(tree, stream, cancellationToken))
            {
                if (!record.Slot.IsHole && !hasPack(new(PackContent.Data, record.Slot.PackSeq)))
                    return false;
            }

            return true;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            return false;
        }
    }

    private async ValueTask<ParentNodes?> ReadParentNodesAsync(TreeEntry? parent, CancellationToken cancellationToken) =>
        parent is { Kind: TreeEntryKind.File, Stream: { Height: > 0 } stream }
            ? await ParentNodes.OfAsync(tree, stream, packSeq => hasPack(new(PackContent.Nodes, packSeq)), cancellationToken)
            : null;
}
