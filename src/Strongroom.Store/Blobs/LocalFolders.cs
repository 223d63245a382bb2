using System.Collections.Concurrent;

namespace Strongroom.Store.Blobs;

/// <summary>Folders below one root, made and made durable. Thread-safe.</summary>
/// <remarks>
/// Durable means: after a power cut the name is there. The name of a file is durable once its folder is synced, and that of a folder once its
/// parent is. A folder that is there may have been made by a process that died before it synced the parent; so the first use of each folder
/// syncs its parent, whoever made it.
/// </remarks>
internal sealed class LocalFolders(string root)
{
    private readonly ConcurrentDictionary<string, byte> durable = new(StringComparer.Ordinal);

    /// <summary>Makes a folder and every parent, each durable in its parent.</summary>
    public void Ensure(string folder)
    {
        var isThere = Directory.Exists(folder);
        if (isThere && durable.ContainsKey(folder))
            return;
        var isBelowRoot = folder.Length > root.Length;
        if (isBelowRoot && FileIdentities.Look(folder)?.Type == FileType.Link)
            throw BlobFiles.NoBlob(folder[(root.Length + 1)..], FileType.Link);
        if (Path.GetDirectoryName(folder) is { } parent && (isBelowRoot || !isThere))
        {
            Ensure(parent);
            Directory.CreateDirectory(folder);
            FolderSync.Sync(parent);
        }

        durable.TryAdd(folder, 0);
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void Sync(string folder) => FolderSync.Sync(folder);

    /// <summary>Makes the names in a folder durable, in all below it, and the folder's own in those above; nothing where there is none.</summary>
    public void SyncWith(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        SyncAll(folder);
        while (folder.Length > root.Length && Path.GetDirectoryName(folder) is { } parent)
            Sync(folder = parent);
    }

    private static void SyncAll(string folder)
    {
        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            if (BlobName.IsValid(Path.GetFileName(inner)))
                SyncAll(inner);
        }

        Sync(folder);
    }
}
