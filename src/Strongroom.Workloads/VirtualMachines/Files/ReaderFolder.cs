using System.Globalization;
using System.Security.Cryptography;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>The folder of one reader: sockets, which are in the server's hands, and in a folder that is the reader's own what libguestfs and its appliance write.</summary>
internal sealed class ReaderFolder : IAsyncDisposable
{
    private readonly ReaderUser? _user;
    private readonly string _path;

    private ReaderFolder(string path, ReaderUser? user)
    {
        (_path, _user) = (path, user);
        Own = Path.Combine(path, "own");
    }

    /// <summary>The reader's own, which nobody else but root may look into.</summary>
    public string Own { get; }

    /// <summary>The user that the reader becomes, which no other has; null: it stays who the server is.</summary>
    public uint? User => _user?.Id;

    /// <exception cref="FileBrowsingException">Busy: no user is free.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static ReaderFolder Make(ReaderHome home)
    {
        var user = home.Machine is { } machine ? ReaderUser.TryTake(ReaderPaths.MakeFolder(Path.Combine(machine, "users"))) ?? throw Taken() : null;
        var folder = new ReaderFolder(Path.Combine(home.Path, RandomNumberGenerator.GetHexString(8, lowercase: true)), user);
        try
        {
            ReaderPaths.MakeFolder(folder._path);
            Directory.CreateDirectory(folder.Own, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            folder.HandOver(folder.Own);
            return folder;
        }
        catch
        {
            user?.Dispose();
            throw;
        }
    }

    /// <summary>Where a disk is served.</summary>
    public string Socket(int disk) => Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"disk{disk}.sock"));

    /// <summary>Lets the reader have what lies in the server's part.</summary>
    public void HandOver(string path)
    {
        if (User is { } user) ReaderPaths.Give(path, user);
    }

    public async ValueTask DisposeAsync()
    {
        try { await ReaderPaths.RemoveAsync(_path); }
        finally { _user?.Dispose(); }
    }

    private static FileBrowsingException Taken() => new(FileBrowsingFault.Busy, "As many recovery points are being read on the server's machine as it has users for. Try again later.");
}
