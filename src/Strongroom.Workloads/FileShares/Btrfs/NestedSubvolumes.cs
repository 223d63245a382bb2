using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Workloads.FileShares.Btrfs;

/// <summary>The subvolumes within a folder, with those within them. A snapshot leaves them out, as empty folders; here they are put into it.</summary>
internal sealed class NestedSubvolumes
{
    private readonly List<(string Path, NestedSubvolumes Within)> writable = [];

    /// <summary>How many are put into a snapshot.</summary>
    public int Count { get; private set; }

    /// <summary>Paths of the read-only ones, from the folder. They are snapshots themselves, and stay left out.</summary>
    public List<string> ReadOnly { get; } = [];

    /// <summary>Finds them. What the server itself has made is none of them.</summary>
    public static NestedSubvolumes Of(SafeFileHandle folder)
    {
        var nested = new NestedSubvolumes();
        foreach (var path in BtrfsCalls.ListNested(folder).Order(StringComparer.Ordinal))
        {
            if (path.Split('/').Contains(SubvolumeSnapshot.FolderName, StringComparer.Ordinal))
                continue;
            using var subvolume = ShareFolderCalls.Open(folder, path.Split('/'));
            if (BtrfsCalls.IsReadOnly(subvolume))
            {
                nested.ReadOnly.Add(path);
                continue;
            }

            var within = Of(subvolume);
            nested.writable.Add((path, within));
            nested.Count += 1 + within.Count;
            nested.ReadOnly.AddRange(within.ReadOnly.Select(inner => $"{path}/{inner}"));
        }

        return nested;
    }

    /// <summary>Puts snapshots of them where a snapshot of their folder has empty folders.</summary>
    /// <param name="folder">The folder that they are in.</param>
    /// <param name="copy">The same folder in the snapshot, which must be writable if there are any.</param>
    public void CopyInto(SafeFileHandle folder, SafeFileHandle copy)
    {
        foreach (var (path, within) in writable)
        {
            var names = path.Split('/');
            using var source = ShareFolderCalls.Open(folder, names);
            using var place = ShareFolderCalls.Open(copy, names[..^1]);
            var modified = FileIdentity.Of(place, path).ModifiedNanoseconds;
            ShareFolderCalls.TryRemoveFolder(place, names[^1]);
            BtrfsCalls.Snapshot(source, place, names[^1], isReadOnly: within.Count == 0);
            ShareFolderCalls.SetModified(place, modified);
            using var copied = ShareFolderCalls.Open(place, names[^1]);
            within.CopyInto(source, copied);
        }
    }

    /// <summary>Removes a subvolume with all that are within it.</summary>
    /// <returns>False when there is none of that name.</returns>
    public static bool Destroy(SafeFileHandle folder, string name)
    {
        SafeFileHandle subvolume;
        try
        {
            subvolume = ShareFolderCalls.Open(folder, name);
        }
        catch (IOException failure) when (failure.HResult == ShareFolderCalls.NoEntry)
        {
            return false;
        }

        using (subvolume)
        {
            foreach (var path in BtrfsCalls.ListNested(subvolume))
            {
                var names = path.Split('/');
                using var place = ShareFolderCalls.Open(subvolume, names[..^1]);
                Destroy(place, names[^1]);
            }
        }

        return BtrfsCalls.Destroy(folder, name);
    }
}
