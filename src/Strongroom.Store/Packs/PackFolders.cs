namespace Strongroom.Store.Packs;

/// <summary>The folders in which packs lie.</summary>
internal static class PackFolders
{
    /// <summary>From so many on it is no less work to sync all folders, one after another, than each with those above it.</summary>
    private const int Many = 64;

    /// <summary>Makes the names of packs durable, and that packs are deleted. Folders in which none of them lies are left alone: there are hundreds.</summary>
    public static async ValueTask SyncAsync(IBlobBackend backend, PackContent content, IEnumerable<uint> packs, CancellationToken cancellationToken)
    {
        var folders = packs.Select(pack => PackFormat.InnerFolderOf(content, pack)).Distinct().Order(StringComparer.Ordinal).ToList();
        if (folders.Count >= Many)
            folders = [PackFormat.FolderOf(content)];
        foreach (var folder in folders)
            await backend.SyncAsync(folder, cancellationToken);
    }
}
