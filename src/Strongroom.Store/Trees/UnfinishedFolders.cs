using System.Collections.Concurrent;

namespace Strongroom.Store.Trees;

/// <summary>The folders that a restore has made and not finished. Each bears a mark until it is: who restores again after a kill knows it by that. Thread-safe.</summary>
/// <remarks>The mark is the empty attribute <c>user.strongroom-unfinished</c>. Where a file system takes no attributes there is none.</remarks>
internal sealed class UnfinishedFolders
{
    private static readonly byte[] TerminatedMark = "user.strongroom-unfinished\0"u8.ToArray();
    private readonly ConcurrentDictionary<(ulong Device, ulong Inode), (long Number, WalkedFolder Folder, TreeEntry Entry)> folders = [];
    private long count;

    /// <summary>Those of this restore; what lies in another comes before it.</summary>
    public IEnumerable<(WalkedFolder Folder, TreeEntry Entry)> DeepestFirst() =>
        folders.Values.OrderByDescending(folder => folder.Number).Select(folder => (folder.Folder, folder.Entry));

    /// <summary>True for the attribute that is the mark: it is of no folder's own.</summary>
    public static bool IsMark(ReadOnlySpan<byte> attribute) => attribute.SequenceEqual(TerminatedMark.AsSpan()[..^1]);

    /// <summary>Marks a folder that was just made, or finds the mark that an earlier restore has left in one.</summary>
    /// <returns>True when the folder is to be finished by who asks: nobody else has it under way.</returns>
    public bool Take(FolderHandle folder, bool isMade)
    {
        // Made without a mark it is as good; only a kill would leave it for a folder that was there.
        if (isMade)
        {
            AttributeCalls.MarkIfPossible(folder.Handle, TerminatedMark);
            return true;
        }

        if (!AttributeCalls.IsThere(folder.Handle, TerminatedMark))
            return false;
        var stat = folder.Stat();
        return !folders.ContainsKey((stat.Device, stat.Inode));
    }

    /// <summary>Has it among those that are not finished.</summary>
    public void Add(WalkedFolder folder, TreeEntry entry) => folders[folder.Identity] = (Interlocked.Increment(ref count), folder, entry);

    public void Remove(WalkedFolder folder) => folders.TryRemove(folder.Identity, out _);

    /// <exception cref="IOException">The mark is there still.</exception>
    public static void Unmark(FolderHandle folder) => AttributeCalls.RemoveIfThere(folder.Handle, TerminatedMark);
}
