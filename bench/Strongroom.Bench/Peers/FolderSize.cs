namespace Strongroom.Bench.Peers;

/// <summary>Folders as a whole.</summary>
internal static class FolderSize
{
    /// <summary>The lengths of all files below it.</summary>
    public static long Of(string folder) => Directory.Exists(folder)
        ? new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length)
        : 0;

    public static void Copy(string folder, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var path = Path.Combine(target, Path.GetRelativePath(folder, file.FullName));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            file.CopyTo(path);
        }
    }
}
