using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Workloads.FileShares.Btrfs;

/// <summary>
/// A snapshot of the subvolume that a share lies in, and of those within the share, held until disposed. It lies in a hidden folder of the share, which nobody but the server may look into:
/// a snapshot must be on the same file system, and nothing is written outside of what the operator has allowed.
/// </summary>
internal sealed class SubvolumeSnapshot : IDisposable
{
    /// <summary>The hidden folder. No tree shows a folder of this name.</summary>
    public const string FolderName = ".strongroom-snapshots";

    private readonly SafeFileHandle share;
    private readonly string name;

    private SubvolumeSnapshot(SafeFileHandle share, string name, SafeFileHandle folder, NestedSubvolumes nested)
    {
        this.share = share;
        this.name = name;
        Folder = folder;
        Nested = nested;
    }

    /// <summary>The share's folder in the snapshot.</summary>
    public SafeFileHandle Folder { get; }

    /// <summary>The subvolumes within the share.</summary>
    public NestedSubvolumes Nested { get; }

    /// <summary>Takes the snapshot.</summary>
    /// <param name="share">The share's folder, on btrfs; stays open as long as the snapshot.</param>
    /// <param name="realPath">Where it lies.</param>
    /// <param name="name">Names the snapshot: the server and the item. What is there of this name is removed first.</param>
    /// <exception cref="SnapshotImpossibleException">There can be none here.</exception>
    public static SubvolumeSnapshot Take(SafeFileHandle share, string realPath, string name)
    {
        try
        {
            using var subvolume = OpenSubvolume(share, realPath, out var inner) ?? throw new SnapshotImpossibleException("the folder's Btrfs subvolume is not mounted here as a whole");
            if (MountTable.Below(realPath) is { Count: > 0 } mounts)
                throw new SnapshotImpossibleException($"other file systems are mounted in it ({Some(mounts)})");
            return Take(share, subvolume, inner, name);
        }
        catch (IOException failure)
        {
            throw new SnapshotImpossibleException($"its snapshot failed ({failure.Message})", failure);
        }
    }

    /// <summary>Removes what is there under a snapshot's name.</summary>
    /// <exception cref="IOException">It is there and cannot be removed.</exception>
    public static void Remove(SafeFileHandle share, string name)
    {
        SafeFileHandle hidden;
        try
        {
            hidden = ShareFolderCalls.Open(share, FolderName);
        }
        catch (IOException)
        {
            // None, or a file or link of somebody else's.
            return;
        }

        using (hidden)
        {
            if (!ShareFolderCalls.IsPrivate(hidden))
                return;
            NestedSubvolumes.Destroy(hidden, name);
        }

        // Other items' snapshots keep it.
        ShareFolderCalls.TryRemoveFolder(share, FolderName);
    }

    /// <summary>Removes the snapshot.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Dispose()
    {
        Folder.Dispose();
        Remove(share, name);
    }

    private static SubvolumeSnapshot Take(SafeFileHandle share, SafeFileHandle subvolume, IReadOnlyList<string> inner, string name)
    {
        Remove(share, name);
        ShareFolderCalls.MakePrivateFolder(share, FolderName);
        try
        {
            using var hidden = ShareFolderCalls.Open(share, FolderName);
            if (!ShareFolderCalls.IsPrivate(hidden))
                throw new SnapshotImpossibleException($"its folder '{FolderName}' is not the server's");
            RequireRemovable(hidden, $"{name}.try");
            var nested = NestedSubvolumes.Of(share);
            BtrfsCalls.Snapshot(subvolume, hidden, name, isReadOnly: nested.Count == 0);
            var folder = ShareFolderCalls.Open(hidden, [name, .. inner]);
            try
            {
                if (InodeOf(folder) != InodeOf(share))
                    throw new SnapshotImpossibleException("it was moved meanwhile");
                nested.CopyInto(share, folder);
                return new(share, name, folder, nested);
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch
        {
            Remove(share, name);
            throw;
        }
    }

    /// <summary>A snapshot that cannot be removed would keep its space for ever: making one is allowed to more people than removing it.</summary>
    private static void RequireRemovable(SafeFileHandle hidden, string name)
    {
        // What a server that was killed here has left.
        BtrfsCalls.Destroy(hidden, name);
        BtrfsCalls.CreateSubvolume(hidden, name);
        try
        {
            BtrfsCalls.Destroy(hidden, name);
        }
        catch (IOException failure)
        {
            // An empty one is removed like a folder.
            ShareFolderCalls.TryRemoveFolder(hidden, name);
            throw new SnapshotImpossibleException("the server may not remove Btrfs subvolumes (it needs the capability CAP_SYS_ADMIN)", failure);
        }
    }

    /// <summary>The folder of the subvolume that a folder lies in, and the names that lead from there to it; null where no path of this machine shows that.</summary>
    private static SafeFileHandle? OpenSubvolume(SafeFileHandle share, string realPath, out IReadOnlyList<string> inner)
    {
        var names = new List<string>();
        var device = FileIdentity.Of(share, realPath).Device;
        var path = realPath;
        while (true)
        {
            var folder = ShareFolderCalls.Open(path);
            var identity = FileIdentity.Of(folder, path);
            inner = names;
            if (identity.Device == device && identity.Inode == BtrfsCalls.SubvolumeInode)
                return folder;
            folder.Dispose();
            if (identity.Device != device || Path.GetDirectoryName(path) is not { } parent)
                return null;
            names.Insert(0, Path.GetFileName(path));
            path = parent;
        }
    }

    private static ulong InodeOf(SafeFileHandle folder) => FileIdentity.Of(folder, ShareFolderCalls.PathOf(folder)).Inode;

    /// <summary>Paths as a part of a sentence; of many the first.</summary>
    internal static string Some(IReadOnlyList<string> paths) => string.Join(", ", paths.Take(3).Select(path => $"'{path}'")) + (paths.Count > 3 ? $" and {paths.Count - 3} more" : "");
}

/// <summary>There can be no snapshot of a share; the message goes on from "because".</summary>
internal sealed class SnapshotImpossibleException(string message, Exception? innerException = null) : Exception(message, innerException);
