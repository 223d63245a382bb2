using System.Globalization;
using System.Security.Cryptography;

namespace Strongroom.Clients.Kill;

/// <summary>A folder's files, folders and links, each by its path as a line of all that a restore has to bring back; read by nothing of the server's.</summary>
internal sealed class ShareTruth
{
    private const string Hidden = ".strongroom-snapshots";
    private readonly SortedDictionary<string, string> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);

    public int Files => _entries.Count - _folders.Count;

    /// <summary>The paths of files and links.</summary>
    public IEnumerable<string> FilePaths => _entries.Keys.Except(_folders);

    public string this[string path] => _entries[path];

    public static ShareTruth Of(string folder)
    {
        var truth = new ShareTruth();
        truth.Read(folder, "");
        return truth;
    }

    public bool Has(string path) => _entries.ContainsKey(path);

    /// <summary>Null when all that is here is there just so; else what is not.</summary>
    /// <param name="foldersToo">Whether folders must have their modes and times.</param>
    public string? FindMissing(ShareTruth there, bool foldersToo) => (
        from entry in _entries
        let found = there._entries.GetValueOrDefault(entry.Key)
        where foldersToo || !_folders.Contains(entry.Key) ? found != entry.Value : found is null
        select $"'{entry.Key}' is {found ?? "not there"}, and was {entry.Value}").FirstOrDefault();

    /// <summary>Null when nothing is here that is not there as well; else what is.</summary>
    public string? FindMore(ShareTruth there) => _entries.Keys.Except(there._entries.Keys).Select(path => $"'{path}' is there, and was not").FirstOrDefault();

    /// <summary>Names that only the server gives.</summary>
    public IEnumerable<string> Leftovers() => _entries.Keys.Where(path => Path.GetFileName(path).StartsWith(".strongroom", StringComparison.Ordinal));

    private void Read(string folder, string prefix)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            var path = prefix + entry.Name;
            var isFolder = entry.LinkTarget is null && entry is DirectoryInfo;
            var time = entry.LastWriteTimeUtc.ToString("O", CultureInfo.InvariantCulture);
            _entries[path] = entry.LinkTarget is { } target ? $"link to {target}"
                : isFolder ? $"folder {entry.UnixFileMode} {time}"
                : $"file {entry.UnixFileMode} {time} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(entry.FullName)))}";
            if (!isFolder) continue;
            _folders.Add(path);
            // What a killed server has left is found by its name.
            if (entry.Name != Hidden) Read(entry.FullName, path + "/");
        }
    }
}
