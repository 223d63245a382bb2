using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>Puts single entries in place: made complete under a temporary name, then renamed. Thread-safe.</summary>
/// <remarks>What goes wrong with one entry is reported; a full disk ends the restore.</remarks>
internal sealed class EntryRestore(ManifestReader tree, bool mayReplace)
{
    /// <summary>Of each file: there are several at once.</summary>
    private const int ChunksAhead = 2;
    private const int SparseBlockBytes = 4096;
    private const int SetIdBits = 0xC00; // 06000
    private readonly bool isRoot = LinuxCalls.EffectiveUser() == 0;
    private long folders;
    private long count;
    private long bytes;

    public ProblemList Problems { get; } = new();

    public TreeRestoreResult ToResult() => new(
        Interlocked.Read(ref folders), Interlocked.Read(ref count), Interlocked.Read(ref bytes), Problems.ToList(), Problems.Count);

    public void Report(IProgress<TreeProgress>? progress) =>
        progress?.Report(new(Interlocked.Read(ref folders) + Interlocked.Read(ref count), Interlocked.Read(ref bytes)));

    /// <summary>The folder to fill, or null when it cannot be made.</summary>
    public FolderHandle? OpenFolder(FolderHandle parent, TreeEntry entry, TreePath path)
    {
        try
        {
            if (!parent.TryMakeFolder(entry.Name.Span))
            {
                // In the way: a folder is filled, anything else, a symbolic link above all, is replaced.
                if (!mayReplace)
                    throw LinuxCalls.Failure("mkdir", LinuxCalls.Exists);
                if (parent.Stat(entry.Name.Span).Kind != TreeEntryKind.Folder)
                {
                    parent.Unlink(entry.Name.Span);
                    parent.TryMakeFolder(entry.Name.Span);
                }
            }

            return parent.OpenFolder(entry.Name.Span);
        }
        catch (IOException failure) when (!IsFull(failure))
        {
            Problems.Add(path, $"The folder cannot be made: {failure.Message}.");
            return null;
        }
    }

    /// <summary>Sets a folder's own metadata, when nothing in it changes any more.</summary>
    public void FinishFolder(FolderHandle folder, TreeEntry entry, TreePath path)
    {
        Interlocked.Increment(ref folders);
        try
        {
            ApplyMetadata(folder.Handle, entry, path);
        }
        catch (IOException failure)
        {
            Problems.Add(path, $"The folder's metadata cannot be set: {failure.Message}.");
        }
    }

    /// <summary>True when the entry is in place, so that other names may be linked to it.</summary>
    public async Task<bool> RestoreAsync(FolderHandle folder, TreeEntry entry, TreePath path, CancellationToken cancellationToken)
    {
        if (!entry.HasContent)
        {
            Problems.Add(path, "The file could not be read when it was backed up.");
            return false;
        }

        if (!isRoot && entry.Kind is TreeEntryKind.CharacterDevice or TreeEntryKind.BlockDevice)
        {
            Problems.Add(path, "Only root may make devices.");
            return false;
        }

        var temporary = FolderHandle.TemporaryName();
        try
        {
            if (entry.Kind == TreeEntryKind.File)
                await WriteFileAsync(folder, temporary, entry, path, cancellationToken);
            else
                MakeSpecial(folder, temporary, entry, path);
            folder.Place(temporary, entry.Name.Span, mayReplace);
            Count(entry);
            return true;
        }
        catch (IOException failure) when (!IsFull(failure))
        {
            Discard(folder, temporary);
            Problems.Add(path, $"It cannot be restored: {failure.Message}.");
            return false;
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            Discard(folder, temporary);
            Problems.Add(path, $"Its content is lost: {failure.Message}");
            return false;
        }
        catch
        {
            Discard(folder, temporary);
            throw;
        }
    }

    /// <summary>Makes a further name of a file that is in place. The way to it is walked without symbolic links.</summary>
    public bool Link(FolderHandle root, TreePath first, FolderHandle folder, TreeEntry entry, TreePath path)
    {
        var temporary = FolderHandle.TemporaryName();
        try
        {
            var names = first.Names();
            using var way = new FolderWay(root);
            foreach (var name in names.SkipLast(1))
                way.Enter(name);
            folder.Link(way.Current, names[^1], temporary);
            folder.Place(temporary, entry.Name.Span, mayReplace);
            Count(entry);
            return true;
        }
        catch (IOException failure) when (!IsFull(failure))
        {
            Discard(folder, temporary);
            Problems.Add(path, $"It cannot be linked to '{first}': {failure.Message}.");
            return false;
        }
    }

    private static bool IsFull(IOException failure) => failure.HResult is LinuxCalls.NoRoom or LinuxCalls.QuotaExceeded;

    private static void Discard(FolderHandle folder, byte[] temporary)
    {
        try
        {
            if (folder.TryStat(temporary) is not null)
                folder.Unlink(temporary);
        }
        catch (IOException)
        {
            // The first failure is the one to tell; a leftover says by its name what it is.
        }
    }

    private void Count(TreeEntry entry)
    {
        Interlocked.Increment(ref count);
        Interlocked.Add(ref bytes, entry.LengthBytes);
    }

    private async Task WriteFileAsync(FolderHandle folder, byte[] temporary, TreeEntry entry, TreePath path, CancellationToken cancellationToken)
    {
        using var file = folder.CreateFile(temporary);
        if (entry.Inline is { } inline)
        {
            RandomAccess.Write(file, inline, 0);
        }
        else if (entry.Stream is { LengthBytes: > 0 } stream)
        {
            RandomAccess.SetLength(file, stream.LengthBytes);
            var isSparse = entry.Flags.HasFlag(TreeEntryFlags.Sparse);
            await StreamRestore.RunAsync(
                tree,
                stream,
                ChunksAhead,
                (offset, data, _) =>
                {
                    Write(file, offset, data.Span, isSparse);
                    return default;
                },
                cancellationToken);
        }

        ApplyMetadata(file, entry, path);
    }

    private static void Write(SafeFileHandle file, long offset, ReadOnlySpan<byte> data, bool isSparse)
    {
        if (!isSparse)
        {
            RandomAccess.Write(file, data, offset);
            return;
        }

        // Runs of blocks that are not zeros; the blocks are those of the file, not of the chunk.
        var start = 0;
        for (var at = 0; at < data.Length;)
        {
            var end = (int)Math.Min(data.Length, at + SparseBlockBytes - ((offset + at) % SparseBlockBytes));
            if (data[at..end].IndexOfAnyExcept((byte)0) < 0)
            {
                if (at > start)
                    RandomAccess.Write(file, data[start..at], offset + start);
                start = end;
            }

            at = end;
        }

        if (start < data.Length)
            RandomAccess.Write(file, data[start..], offset + start);
    }

    private void MakeSpecial(FolderHandle folder, byte[] name, TreeEntry entry, TreePath path)
    {
        if (entry.Kind == TreeEntryKind.SymbolicLink)
            folder.MakeSymbolicLink(name, entry.LinkTarget.Span);
        else
            folder.MakeNode(name, entry.Kind, entry.DeviceMajor, entry.DeviceMinor);
        var isOwned = !ShouldSetOwner(entry) || folder.TrySetOwner(name, entry.UserId, entry.GroupId);
        if (entry.Kind != TreeEntryKind.SymbolicLink)
            folder.SetMode(name, ModeOf(entry, isOwned));
        foreach (var attribute in entry.Attributes)
            Tell(AttributeCalls.TrySet(folder, name, attribute), attribute, path);
        folder.SetModified(name, entry.ModifiedAt);
    }

    /// <summary>In this order: a change of owner takes away set-id bits and capabilities, an ACL changes the mode, and all of them the times.</summary>
    private void ApplyMetadata(SafeFileHandle file, TreeEntry entry, TreePath path)
    {
        SetAttributes(file, entry, path, followMode: false);
        var isOwned = !ShouldSetOwner(entry) || FolderHandle.TrySetOwner(file, entry.UserId, entry.GroupId);
        if (!isOwned && isRoot)
            Problems.Add(path, $"Its owner {entry.UserId}:{entry.GroupId} cannot be set here.");
        FolderHandle.SetMode(file, ModeOf(entry, isOwned));
        SetAttributes(file, entry, path, followMode: true);
        FolderHandle.SetModified(file, entry.ModifiedAt);
    }

    private void SetAttributes(SafeFileHandle file, TreeEntry entry, TreePath path, bool followMode)
    {
        foreach (var attribute in entry.Attributes)
        {
            if (AttributeCalls.FollowsMode(attribute) == followMode)
                Tell(AttributeCalls.TrySet(file, attribute), attribute, path);
        }
    }

    /// <summary>Who is not root gets the files as his own, and may still hand them to a group that he is in.</summary>
    private bool ShouldSetOwner(TreeEntry entry) => isRoot || entry.UserId == LinuxCalls.EffectiveUser();

    /// <summary>A set-user-id file of somebody else must not become one of whoever restores it.</summary>
    private int ModeOf(TreeEntry entry, bool isOwned) =>
        isOwned && ShouldSetOwner(entry) ? entry.Mode : entry.Mode & ~SetIdBits;

    private void Tell(bool isSet, ExtendedAttribute attribute, TreePath path)
    {
        if (!isSet)
            Problems.Add(path, $"The attribute {System.Text.Encoding.UTF8.GetString(attribute.Name.Span)} cannot be set here.");
    }

    /// <summary>A row of open folders, one below the other; the last is the current one.</summary>
    private sealed class FolderWay(FolderHandle root) : IDisposable
    {
        private FolderHandle? last;

        public FolderHandle Current => last ?? root;

        public void Enter(byte[] name)
        {
            var next = Current.OpenFolder(name);
            last?.Dispose();
            last = next;
        }

        public void Dispose() => last?.Dispose();
    }
}
