using System.Formats.Tar;
using Strongroom.Cli.Store;

namespace Strongroom.Cli.Files;

/// <summary>Unpacks a tar of a folder into a new folder. Nothing is written outside it, whatever the archive says.</summary>
/// <remarks>
/// Its names begin with the folder's own, which the new folder's takes the place of. Symbolic links are made last of all, so that none is on the way to anything; a
/// further name of a file becomes a copy. Modes and times are kept, owners, devices and fifos are not.
/// </remarks>
internal static class TarExtraction
{
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;
    private const int MostNotes = 20;

    /// <exception cref="InvalidDataException">The archive has a name that leads elsewhere.</exception>
    /// <exception cref="IOException">Something cannot be written, or is there already.</exception>
    public static async Task<(long Bytes, IReadOnlyList<string> Notes)> RunAsync(Stream archive, string target, CancellationToken cancellationToken)
    {
        var folders = new List<(string Path, UnixFileMode Mode, DateTimeOffset Time)>();
        var links = new List<(string Path, string Target)>();
        var notes = new List<string>();
        long bytes = 0;
        await using var tar = new TarReader(archive);
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            var path = PathOf(entry.Name, target);
            var mode = entry.Mode & Permissions;
            switch (entry.EntryType)
            {
                case TarEntryType.Directory:
                    Directory.CreateDirectory(path);
                    folders.Add((path, mode, entry.ModificationTime));
                    break;
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                    MakeParent(path);
                    bytes += await WriteAsync(entry, path, cancellationToken);
                    Finish(path, mode, entry.ModificationTime);
                    break;
                case TarEntryType.HardLink:
                    MakeParent(path);
                    File.Copy(PathOf(entry.LinkName, target), path, overwrite: false);
                    break;
                case TarEntryType.SymbolicLink:
                    MakeParent(path);
                    links.Add((path, entry.LinkName));
                    break;
                default:
                    if (notes.Count < MostNotes) notes.Add($"Left out, since it is no file: {Shown.Text(entry.Name)}");
                    break;
            }
        }

        foreach (var (path, to) in links)
        {
            if (File.Exists(path) || Directory.Exists(path)) throw new IOException($"'{Shown.Text(path)}' is in the archive twice.");
            File.CreateSymbolicLink(path, to);
        }

        // Children before parents: a folder that may not be written any more is full, and its time is its own.
        foreach (var (path, mode, time) in Enumerable.Reverse(folders))
        {
            Directory.SetLastWriteTimeUtc(path, time.UtcDateTime);
            File.SetUnixFileMode(path, mode);
        }

        return (bytes, notes);
    }

    private static string PathOf(string name, string target)
    {
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (name.StartsWith('/') || parts.Length == 0 || parts.Any(static p => p is "." or ".." || p.Contains('\0', StringComparison.Ordinal)))
            throw new InvalidDataException($"The archive has a name that leads elsewhere: '{Shown.Text(name)}'.");
        return Path.Combine([target, .. parts.Skip(1)]);
    }

    private static void MakeParent(string path) => Directory.CreateDirectory(Path.GetDirectoryName(path)!);

    private static async Task<long> WriteAsync(TarEntry entry, string path, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        if (entry.DataStream is not null) await entry.DataStream.CopyToAsync(file, 1 << 20, cancellationToken);
        return file.Length;
    }

    private static void Finish(string path, UnixFileMode mode, DateTimeOffset time)
    {
        File.SetUnixFileMode(path, mode);
        File.SetLastWriteTimeUtc(path, time.UtcDateTime);
    }
}
