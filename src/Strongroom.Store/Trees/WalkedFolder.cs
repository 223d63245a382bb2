namespace Strongroom.Store.Trees;

/// <summary>A folder of the file system that a walk has met, by the way to it. <see cref="OpenFolders"/> opens it when it is used.</summary>
internal sealed class WalkedFolder(WalkedFolder? parent, byte[] name, FileStat stat)
{
    /// <summary>Null: the folder where the walk began.</summary>
    public WalkedFolder? Parent => parent;

    public byte[] Name => name;

    /// <summary>What tells it from another folder that took its name.</summary>
    public (ulong Device, ulong Inode) Identity { get; } = (stat.Device, stat.Inode);

    /// <summary>Its handle while it is open; of <see cref="OpenFolders"/> alone, as are the users.</summary>
    public FolderHandle? Handle { get; set; }

    public int Users { get; set; }

    public LinkedListNode<WalkedFolder>? Idle { get; set; }

    /// <summary>Seen from where the walk began. Made when asked for: a line of deep folders would take too much memory.</summary>
    public TreePath Path => PathOf([]);

    /// <summary>Where an entry of this folder lies.</summary>
    public TreePath PathOf(ReadOnlySpan<byte> entry)
    {
        var names = new Stack<byte[]>();
        if (entry.Length > 0)
            names.Push(entry.ToArray());
        for (var folder = this; folder.Parent is not null; folder = folder.Parent)
            names.Push(folder.Name);
        return TreePath.Of(names);
    }
}
