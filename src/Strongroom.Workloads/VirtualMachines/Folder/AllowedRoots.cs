using Strongroom.Blocks;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>The folders that the operator lets the API reach (<c>--allow-path</c>): nothing is opened that does not lie below one of them.</summary>
/// <remarks>
/// <para>Thread-safe. A path is judged as text first, so that a caller learns nothing of what exists elsewhere; then by where its links lead; and then again by
/// where the opened file really lies, so that it is of no use to exchange a folder for a link in between.</para>
/// <para>Without any root everything is refused.</para>
/// </remarks>
public sealed class AllowedRoots
{
    private readonly string[] _asGiven;
    private readonly string[] _resolved;

    /// <param name="roots">Absolute paths; a root that is a link allows what it leads to now.</param>
    /// <exception cref="ArgumentException">One is not absolute.</exception>
    public AllowedRoots(IEnumerable<string> roots)
    {
        _asGiven = [.. roots.Select(Normalise)];
        _resolved = [.. _asGiven.Select(Resolve)];
    }

    /// <summary>Null when a folder may be read; else a sentence for the caller that gives away nothing of the server's files.</summary>
    public string? RefuseFolder(string path)
    {
        try
        {
            using var folder = OpenFolder(path);
            return null;
        }
        catch (PathRefusedException exception)
        {
            return exception.Message;
        }
        catch (IOException)
        {
            return $"The folder '{path}' does not exist or cannot be read.";
        }
    }

    /// <summary>Holds a folder fast for listing.</summary>
    /// <exception cref="PathRefusedException">It is not below a root.</exception>
    /// <exception cref="IOException">It does not exist, or is no folder.</exception>
    public PathHandle OpenFolder(string path)
    {
        RefuseByText(path);
        var folder = PathHandle.Open(path);
        try
        {
            if (!Contains(folder.RealPath))
                throw Outside(path);
            if (!Directory.Exists(folder.PinnedPath))
                throw new IOException($"'{path}' is not a folder.");
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Opens a regular file for reading. Links are followed as long as they stay below a root; the result's path is the real one.</summary>
    /// <exception cref="PathRefusedException">It is not below a root.</exception>
    /// <exception cref="IOException">It does not exist, may not be read, or is not a regular file.</exception>
    public DiskFile OpenFile(string path)
    {
        RefuseByText(path);
        string real;
        using (var place = PathHandle.Open(path))
            real = place.RealPath;
        if (!Contains(real))
            throw Outside(path);
        return OpenResolved(real);
    }

    /// <summary>Opens a file whose links were resolved before. Separate, for the time between the check and this is what an attacker would use.</summary>
    internal DiskFile OpenResolved(string path)
    {
        var file = DiskFile.OpenRegular(path);
        try
        {
            var real = file.RealPath;
            if (!Contains(real))
                throw Outside(path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void RefuseByText(string path)
    {
        if (_asGiven.Length == 0)
            throw new PathRefusedException("No folder of this server may be used: its operator has not allowed any (strongroom serve --allow-path DIR).");
        if (!Path.IsPathRooted(path) || path.Contains('\0', StringComparison.Ordinal) || path.Split('/').Contains("..", StringComparer.Ordinal))
            throw new PathRefusedException("The path must be absolute and must not contain '..'.");
        var full = Path.GetFullPath(path);
        if (!_asGiven.Any(root => IsBelow(full, root)) && !Contains(full))
            throw Outside(path);
    }

    private bool Contains(string realPath) => _resolved.Any(root => IsBelow(realPath, root));

    private static bool IsBelow(string path, string root) =>
        root == "/" || path == root || (path.StartsWith(root, StringComparison.Ordinal) && path[root.Length] == '/');

    private static string Normalise(string root)
    {
        if (!Path.IsPathRooted(root))
            throw new ArgumentException($"An allowed path must be absolute: '{root}'.", nameof(root));
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        return full.Length == 0 ? "/" : full;
    }

    private static string Resolve(string root)
    {
        try
        {
            using var place = PathHandle.Open(root);
            return place.RealPath;
        }
        catch (IOException)
        {
            return root; // not there yet
        }
    }

    private static PathRefusedException Outside(string path) => new($"'{path}' is not below a folder that the server's operator has allowed (strongroom serve --allow-path DIR).");
}

/// <summary>A path that the operator has not allowed; the message may be shown to the caller.</summary>
public sealed class PathRefusedException(string message) : IOException(message);
