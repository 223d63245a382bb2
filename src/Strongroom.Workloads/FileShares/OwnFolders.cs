using Strongroom.Blocks;

namespace Strongroom.Workloads.FileShares;

/// <summary>The folders of the server itself: its data, and the vaults. They are no shares: a backup of a vault into itself grows for ever, and a restore into one destroys it.</summary>
/// <param name="paths">Some may not be there yet.</param>
public sealed class OwnFolders(IReadOnlyList<string> paths)
{
    /// <summary>True when a folder is one of them, holds one or lies in one.</summary>
    /// <param name="realPath">All links resolved.</param>
    public bool Meets(string realPath) => paths.Select(Resolve).Any(own => IsBelow(realPath, own) || IsBelow(own, realPath));

    private static string Resolve(string path)
    {
        try
        {
            using var place = PathHandle.Open(path);
            return place.RealPath;
        }
        catch (IOException)
        {
            return Path.GetFullPath(path);
        }
    }

    private static bool IsBelow(string path, string folder) => folder == "/" || path == folder || (path.StartsWith(folder, StringComparison.Ordinal) && path[folder.Length] == '/');
}
