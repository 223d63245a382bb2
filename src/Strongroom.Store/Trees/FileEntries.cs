using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>A pack that a manifest refers to.</summary>
internal readonly record struct ManifestPackQuery(PackContent Content, uint PackSeq);

/// <summary>Makes the entries of a backup's files, and counts them. Thread-safe.</summary>
/// <param name="tree">Where the parent is.</param>
/// <param name="chunks">The session's.</param>
/// <param name="content">Reads and stores what files hold.</param>
/// <param name="clock">Of the machine whose files these are.</param>
/// <param name="hasPack">Whether the vault has a pack still.</param>
/// <param name="readAttributes">Reads the extended attributes of an open file; by itself from the kernel.</param>
internal sealed class FileEntries(
    ManifestReader tree,
    ISessionChunks chunks,
    FileContent content,
    TimeProvider clock,
    Func<ManifestPackQuery, bool> hasPack,
    Func<SafeFileHandle, IReadOnlyList<ExtendedAttribute>>? readAttributes = null)
{
    private const int SettlingSeconds = 2;
    private readonly Func<SafeFileHandle, IReadOnlyList<ExtendedAttribute>> readAttributes = readAttributes ?? AttributeCalls.Read;
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

    public IReadOnlyList<ExtendedAttribute> ReadAttributes(SafeFileHandle file, WalkedFolder folder) =>
        Guard(() => readAttributes(file), folder, []) ?? [];

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
    public TreeEntry ReadSpecial(FolderHandle handle, FileStat stat, byte[] name, uint device, WalkedFolder folder)
    {
        var isSettled = IsSettled(stat.ChangedAt);
        var attributes = Guard(() => AttributeCalls.Read(handle, name), folder, name);
        var entry = Describe(stat, name, device) with { LinkTarget = stat.Kind == TreeEntryKind.SymbolicLink ? handle.ReadLink(name) : default };
        return Count(WithAttributes(entry, attributes, isSettled));
    }

    /// <summary>Reads an open file. Null when it is no file any more.</summary>
    /// <param name="file">Open for reading.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="device">Its file system's number in the tree.</param>
    /// <param name="parent">What the parent has by that name.</param>
    /// <param name="folder">Where it lies.</param>
    /// <param name="isAlone">Its number was another file's in this backup: nobody may take it for a name of that one.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<TreeEntry?> ReadFileAsync(
        SafeFileHandle file, byte[] name, uint device, TreeEntry? parent, WalkedFolder folder, bool isAlone, CancellationToken cancellationToken)
    {
        var stat = FileStat.Of(file);
        if (stat.Kind != TreeEntryKind.File)
        {
            Problems.Add(folder.PathOf(name), "It was replaced while the folder was read.");
            return null;
        }

        try
        {
            var isSettled = IsSettled(stat.ChangedAt);
            var read = await content.ReadAsync(file, await ReadParentNodesAsync(parent, cancellationToken), cancellationToken);
            if (read.HasChanged)
                Problems.Add(folder.PathOf(name), "The file changed each time that it was read: its content may be of two moments.");
            var attributes = Guard(() => readAttributes(file), folder, name);
            var entry = WithAttributes(Describe(read.Stat, name, device), attributes, isSettled && IsSettled(read.Stat.ChangedAt));
            return Count(entry with
            {
                Links = isAlone ? 1 : entry.Links,
                Flags = entry.Flags | (read.HasChanged ? TreeEntryFlags.ChangedWhileRead : 0),
                Inline = read.Inline,
                Stream = read.Stream,
            });
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Problems.Add(folder.PathOf(name), $"The file cannot be read: {failure.Message}");
            return Count(Describe(stat, name, device) with { Links = isAlone ? 1 : stat.Links });
        }
    }

    /// <summary>Counts what is no folder.</summary>
    public TreeEntry Count(TreeEntry entry)
    {
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, entry.LengthBytes);
        return entry;
    }

    /// <summary>A change that comes later than now bears another change time than the file has.</summary>
    public bool IsSettled(FileTime changedAt) => changedAt.Seconds + SettlingSeconds < clock.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>What could not be read is read again the next time, though nothing of the file will have changed.</summary>
    private static TreeEntry WithAttributes(TreeEntry entry, IReadOnlyList<ExtendedAttribute>? attributes, bool isSettled) => entry with
    {
        Flags = entry.Flags | (isSettled && attributes is not null ? 0 : TreeEntryFlags.NotSettled),
        Attributes = attributes ?? [],
    };

    /// <summary>Null when they cannot be read.</summary>
    private IReadOnlyList<ExtendedAttribute>? Guard(Func<IReadOnlyList<ExtendedAttribute>> read, WalkedFolder folder, byte[] name)
    {
        try
        {
            return read();
        }
        catch (IOException failure)
        {
            Problems.Add(folder.PathOf(name), $"Its extended attributes cannot be read: {failure.Message}.");
            return null;
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

    /// <summary>What the parent's content is made of; null where that is nothing to be shared.</summary>
    public async ValueTask<ParentNodes?> ReadParentNodesAsync(TreeEntry? parent, CancellationToken cancellationToken) =>
        parent is { Kind: TreeEntryKind.File, Stream: { Height: > 0 } stream }
            ? await ParentNodes.OfAsync(tree, stream, packSeq => hasPack(new(PackContent.Nodes, packSeq)), cancellationToken)
            : null;
}
