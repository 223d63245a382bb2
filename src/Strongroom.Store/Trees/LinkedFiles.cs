namespace Strongroom.Store.Trees;

/// <summary>The files with several names that a backup has met, by device and inode. Not for concurrent use.</summary>
/// <remarks>
/// A file system gives the number of a deleted file to a new one, maybe before the backup is over; when each was born tells them apart. Where a file system does not
/// know that, they are taken for one.
/// </remarks>
internal sealed class LinkedFiles
{
    private readonly Dictionary<(ulong Device, ulong Inode), FileTime> born = [];
    private readonly Dictionary<(ulong Device, ulong Inode), Task<TreeEntry?>> first = [];

    /// <summary>False when another file has had its number in this backup: they must not be told to be one.</summary>
    public bool Claim(FileStat stat)
    {
        var key = (stat.Device, stat.Inode);
        if (born.TryGetValue(key, out var other))
            return other == stat.BornAt;
        born.Add(key, stat.BornAt);
        return true;
    }

    /// <summary>What was or will be read by its first name.</summary>
    public Task<TreeEntry?>? Find(FileStat stat) => first.GetValueOrDefault((stat.Device, stat.Inode));

    public void Add(FileStat stat, Task<TreeEntry?> entry) => first[(stat.Device, stat.Inode)] = entry;
}
