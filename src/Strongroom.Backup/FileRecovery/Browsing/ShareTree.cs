using Strongroom.Store;

namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>The files of a share's recovery point, read from the store itself.</summary>
internal sealed class ShareTree(VaultStore store, TreeRef tree) : IFileTree
{
    /// <summary>As many symbolic links as Linux follows in a path.</summary>
    private const int MaxLinks = 40;

    private readonly SemaphoreSlim _turn = new(1);
    private (FilePath Path, VaultStream Content)? _open;

    public Task<FileEntry> FindAsync(FilePath path, CancellationToken cancellationToken) => TakeTurnAsync(async () => Describe((await ResolveAsync(path, cancellationToken)).Entry), cancellationToken);

    public Task<FilePage> ListAsync(FilePath path, long position, int count, CancellationToken cancellationToken) => TakeTurnAsync(
        async () =>
        {
            var (folder, where) = await ResolveAsync(path, cancellationToken);
            if (folder.Kind != TreeEntryKind.Folder) throw new FileBrowsingException(FileBrowsingFault.NotAFolder, $"'{path.Text}' is no folder.");
            if (!folder.HasContent) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"The folder '{path.Text}' could not be listed when it was backed up.");
            return await store.ListTreeAsync(tree, where, position, count, cancellationToken) is var (entries, next)
                ? new FilePage([.. entries.Select(Describe)], next)
                : throw new FileBrowsingException(FileBrowsingFault.BadPosition, $"The folder '{path.Text}' has no entry at position {position}.");
        },
        cancellationToken);

    public Task<int> ReadAsync(FilePath path, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => TakeTurnAsync(
        async () =>
        {
            if (_open is not { } open || !ReferenceEquals(open.Path, path)) _open = open = (path, await OpenAsync(path, cancellationToken));
            open.Content.Position = offsetBytes;
            return await open.Content.ReadAsync(buffer, cancellationToken);
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_open is { } open) await open.Content.DisposeAsync();
        _turn.Dispose();
    }

    private async Task<VaultStream> OpenAsync(FilePath path, CancellationToken cancellationToken)
    {
        if (_open is { } before) await before.Content.DisposeAsync();
        _open = null;
        var (entry, where) = await ResolveAsync(path, cancellationToken);
        if (entry.Kind != TreeEntryKind.File) throw new FileBrowsingException(FileBrowsingFault.NotAFile, $"'{path.Text}' is no file.");
        if (!entry.HasContent) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"The file '{path.Text}' could not be read when it was backed up.");
        return await store.OpenTreeFileAsync(tree, where, cancellationToken);
    }

    /// <summary>What stands at a path: symbolic links on the way are followed within the share, one at the end is not.</summary>
    private async Task<(TreeEntry Entry, TreePath Path)> ResolveAsync(FilePath path, CancellationToken cancellationToken)
    {
        var names = new LinkedList<byte[]>();
        for (var i = 0; i < path.Depth; i++) names.AddLast(path[i].ToArray());
        var above = new Stack<(TreeEntry Entry, TreePath Path)>();
        var here = (Entry: await EntryAsync(default, path, cancellationToken), Path: default(TreePath));
        for (var links = 0; names.First is { } next;)
        {
            names.RemoveFirst();
            if (next.Value.AsSpan().SequenceEqual(".."u8))
            {
                if (above.TryPop(out var parent)) here = parent;
                continue;
            }

            if (here.Entry.Kind != TreeEntryKind.Folder) throw NotFound(path);
            var place = here.Path.Join(next.Value);
            var entry = await EntryAsync(place, path, cancellationToken);
            if (entry.Kind == TreeEntryKind.SymbolicLink && names.Count > 0)
            {
                if (++links > MaxLinks) throw NotFound(path);
                if (Follow(entry, names) && above.Count > 0)
                {
                    // The last of a stack's enumeration lies at its bottom: the share's own folder.
                    here = above.Last();
                    above.Clear();
                }

                continue;
            }

            above.Push(here);
            here = (entry, place);
        }

        return here;
    }

    /// <summary>Puts the names of a link's target before those that are left.</summary>
    /// <returns>True: the target begins at the share's own folder.</returns>
    private static bool Follow(TreeEntry link, LinkedList<byte[]> names)
    {
        var target = link.LinkTarget.Span;
        LinkedListNode<byte[]>? last = null;
        foreach (var range in target.Split((byte)'/'))
        {
            if (target[range].IsEmpty || target[range].SequenceEqual("."u8)) continue;
            var name = target[range].ToArray();
            last = last is null ? names.AddFirst(name) : names.AddAfter(last, name);
        }

        return target[0] == (byte)'/';
    }

    private async Task<TreeEntry> EntryAsync(TreePath place, FilePath asked, CancellationToken cancellationToken) =>
        await store.FindInTreeAsync(tree, place, cancellationToken) ?? throw NotFound(asked);

    private static FileBrowsingException NotFound(FilePath path) => new(FileBrowsingFault.NotFound, $"There is no '{path.Text}' in the recovery point.");

    private async Task<T> TakeTurnAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        catch (StoreException e) when (e.Kind is StoreErrorKind.Corrupt or StoreErrorKind.NotFound or StoreErrorKind.Unsupported)
        {
            throw new FileBrowsingException(FileBrowsingFault.Damaged, e.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    private static FileEntry Describe(TreeEntry entry) => new()
    {
        Name = entry.Name,
        Kind = entry.Kind switch
        {
            TreeEntryKind.File => FileKind.File,
            TreeEntryKind.Folder => FileKind.Directory,
            TreeEntryKind.SymbolicLink => FileKind.SymbolicLink,
            TreeEntryKind.Fifo => FileKind.Fifo,
            TreeEntryKind.Socket => FileKind.Socket,
            TreeEntryKind.CharacterDevice => FileKind.CharacterDevice,
            TreeEntryKind.BlockDevice => FileKind.BlockDevice,
            _ => FileKind.Unknown,
        },
        SizeBytes = entry.LengthBytes,
        ModifiedSeconds = entry.ModifiedAt.Seconds,
        ModifiedNanoseconds = entry.ModifiedAt.Nanoseconds,
        Mode = entry.Mode,
        UserId = entry.UserId,
        GroupId = entry.GroupId,
        Device = LinuxNumber(entry.DeviceMajor, entry.DeviceMinor),
        // Devices other than the share's own are told apart by the number's upper bits.
        Inode = (long)entry.Inode ^ ((long)entry.Device << 48),
        LinkCount = entry.Links,
        LinkTarget = entry.LinkTarget,
    };

    /// <summary>As <c>makedev</c> of glibc.</summary>
    private static long LinuxNumber(uint major, uint minor) =>
        (long)(((major & 0xFFFFF000UL) << 32) | ((major & 0xFFFUL) << 8) | ((minor & 0xFFFFFF00UL) << 12) | (minor & 0xFFUL));
}
