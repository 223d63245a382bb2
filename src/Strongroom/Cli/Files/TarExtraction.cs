using System.Formats.Tar;
using System.Security.Cryptography;
using Strongroom.Cli.Store;

namespace Strongroom.Cli.Files;

/// <summary>Unpacks a tar of a folder into a new folder. Nothing is written outside it, whatever the archive says.</summary>
/// <remarks>
/// Its names begin with the folder's own, which the new folder's takes the place of; those of the root have none before them. Symbolic links are made last of all, so that none is on the way to anything; a
/// further name of a file becomes a copy. Modes and times are kept, owners, devices and fifos are not. Until all is there it lies in a folder beside
/// it, which only the caller may look into, and which goes when something fails.
/// </remarks>
internal static class TarExtraction
{
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;
    private const int MostNotes = 20;

    private const UnixFileMode OwnersFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <param name="archive">The tar, from its beginning.</param>
    /// <param name="target">The new folder.</param>
    /// <param name="isRoot">Whether it is one of the root, whose folders keep their names.</param>
    /// <param name="cancellationToken">Leaves nothing behind.</param>
    /// <exception cref="InvalidDataException">The archive has a name that leads elsewhere, or no folder at its top.</exception>
    /// <exception cref="IOException">Something cannot be written, or is there already.</exception>
    public static async Task<(long Bytes, IReadOnlyList<string> Notes)> RunAsync(Stream archive, string target, bool isRoot, CancellationToken cancellationToken)
    {
        var beside = $"{target}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.part";
        Directory.CreateDirectory(beside, OwnersFolder);
        try
        {
            var top = Path.Combine(beside, "top");
            if (isRoot) Directory.CreateDirectory(top);
            var (bytes, notes, folders) = await UnpackAsync(archive, name => PathOf(name, top, isRoot ? 0 : 1), cancellationToken);
            // A lone link could lead anywhere on this machine.
            if (!IsFolder(top)) throw new InvalidDataException("The archive has no folder at its top.");
            foreach (var folder in folders.Where(f => f.Path != top)) Finish(folder.Path, folder.Mode, folder.Time);
            Directory.Move(top, target);
            // A folder that may not be written could not be moved.
            foreach (var folder in folders.Where(f => f.Path == top)) Finish(target, folder.Mode, folder.Time);
            return (bytes, notes);
        }
        finally
        {
            Remove(beside);
        }
    }

    /// <summary>Unpacks all but the modes and times of folders, which are children before parents: a folder that may not be written any more is full, and its time is its own.</summary>
    private static async Task<(long Bytes, IReadOnlyList<string> Notes, IReadOnlyList<(string Path, UnixFileMode Mode, DateTimeOffset Time)> Folders)> UnpackAsync(Stream archive, Func<string, string> pathOf, CancellationToken cancellationToken)
    {
        var folders = new List<(string Path, UnixFileMode Mode, DateTimeOffset Time)>();
        var links = new List<(string Path, string Target)>();
        var notes = new List<string>();
        long bytes = 0;
        await using var tar = new TarReader(archive);
        while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            var path = pathOf(entry.Name);
            switch (entry.EntryType)
            {
                case TarEntryType.Directory:
                    Directory.CreateDirectory(path);
                    folders.Add((path, entry.Mode & Permissions, entry.ModificationTime));
                    break;
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile:
                    MakeParent(path);
                    bytes += await WriteAsync(entry, path, cancellationToken);
                    Finish(path, entry.Mode & Permissions, entry.ModificationTime);
                    break;
                case TarEntryType.HardLink:
                    MakeParent(path);
                    File.Copy(pathOf(entry.LinkName), path, overwrite: false);
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

        folders.Reverse();
        return (bytes, notes, folders);
    }

    private static bool IsFolder(string path) => new DirectoryInfo(path) is { Exists: true, LinkTarget: null };

    private static void Remove(string folder)
    {
        try { Directory.Delete(folder, recursive: true); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { /* What failed before is what the caller hears of. */ }
    }

    private static string PathOf(string name, string target, int skipped)
    {
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (name.StartsWith('/') || parts.Length == 0 || parts.Any(static p => p is "." or ".." || p.Contains('\0', StringComparison.Ordinal)))
            throw new InvalidDataException($"The archive has a name that leads elsewhere: '{Shown.Text(name)}'.");
        return Path.Combine([target, .. parts.Skip(skipped)]);
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
        File.SetLastWriteTimeUtc(path, time.UtcDateTime);
        File.SetUnixFileMode(path, mode);
    }
}
