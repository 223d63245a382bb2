using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>Where a server's readers have their folders: below one that only the server may change, so that nobody plants anything there.</summary>
/// <remarks>
/// A server that is root gives readers to other users, who do not get through its data folder: it takes a folder of the machine's, and in it one
/// for each server, beside the locks of users and the appliance. Any other server takes <see cref="FileReaderOptions.Folder"/>, or, where that
/// is missing or its path too long for Unix sockets in it, a temporary folder.
/// </remarks>
internal sealed class ReaderHome : IAsyncDisposable
{
    // sun_path of unix(7) without its zero, and what is added to the folder's path: "/12345678/own/libguestfsXXXXXX/guestfsd.sock".
    private const int LongestSocketPath = 107, AddedToPath = 44;

    private readonly string? _temporary;

    /// <param name="temporary">What goes with it, if that is more than the folder itself.</param>
    private ReaderHome(string path, string? machine, string? temporary) => (Path, Machine, _temporary) = (path, machine, temporary);

    /// <summary>The folder in which readers have theirs.</summary>
    public string Path { get; }

    /// <summary>What is common to all servers of the machine; null where the server is not root.</summary>
    public string? Machine { get; }

    /// <summary>Opens it, and removes what a server and its readers left behind when all were killed at the same time.</summary>
    public static async Task<ReaderHome> OpenAsync(FileReaderOptions options)
    {
        var home = Open(options);
        // Nobody else's: a data folder has one server, and its readers end with it.
        foreach (var left in Directory.EnumerateDirectories(home.Path)) await ReaderPaths.RemoveAsync(left);
        return home;
    }

    public async ValueTask DisposeAsync()
    {
        await ReaderPaths.RemoveAsync(_temporary ?? Path);
    }

    private static ReaderHome Open(FileReaderOptions options)
    {
        if (ReaderPaths.IsRoot)
        {
            var (machine, isTemporary) = Machines(options.MachineFolder);
            var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(options.Folder ?? "")).AsSpan(0, 8));
            return new(ReaderPaths.MakeFolder(System.IO.Path.Combine(machine, name)), machine, isTemporary ? machine : null);
        }

        if (options.Folder is { } folder && Encoding.UTF8.GetByteCount(folder) + AddedToPath <= LongestSocketPath) return new(ReaderPaths.MakeFolder(folder), null, null);
        var temporary = Temporary();
        return new(temporary, null, temporary);
    }

    private static (string Path, bool IsTemporary) Machines(string? wanted)
    {
        if (wanted is not null)
        {
            try { return (ReaderPaths.MakeFolder(wanted), false); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { /* It may be read-only, for this server. */ }
        }

        return (Temporary(), true);
    }

    // Made for nobody else, under a name that nobody could know.
    private static string Temporary() => ReaderPaths.MakeFolder(Directory.CreateTempSubdirectory("strongroom-readers-").FullName);
}
