using System.Globalization;
using System.Text;

namespace Strongroom.Hosting;

/// <summary>
/// The one folder that holds everything a server keeps. Whoever has opened it owns it: a second server on the same folder
/// is refused as long as the first one lives, and no longer, for the kernel drops the lock with the process however it
/// ends. Thread-safe.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    /// <summary>The layout this program writes. A folder of a later one is not touched.</summary>
    public const int FormatVersion = 1;

    private readonly FileStream ownership;

    private DataFolder(string root, FileStream ownership, Guid serverId)
    {
        Root = root;
        ServerId = serverId;
        this.ownership = ownership;
    }

    /// <summary>The folder itself, an absolute path.</summary>
    public string Root { get; }

    /// <summary>Another for each data folder, made at its first start: by it a server knows what it has left on hosts that it shares with others.</summary>
    public Guid ServerId { get; }

    /// <summary>The private authority and the server's certificate, mode 0700.</summary>
    public string TlsFolder => Path.Combine(Root, "tls");

    /// <summary>The keys that sign tokens, mode 0700.</summary>
    public string IdentityFolder => Path.Combine(Root, "identity");

    /// <summary>How the administrator signs in, mode 0600.</summary>
    public string AdministratorFile => Path.Combine(Root, "admin.json");

    /// <summary>Who may sign in besides the administrator, mode 0600; there is none until somebody is added.</summary>
    public string PrincipalsFile => PrincipalsFileOf(Root);

    /// <summary>Logins for hosts, which the operator puts there; mode 0700.</summary>
    public string CredentialsFolder => Path.Combine(Root, "credentials");

    /// <summary>The key that wraps the vaults' keys, mode 0600; without it no recovery point can be read.</summary>
    public string MasterKeyFile => Path.Combine(Root, "master.key");

    /// <summary>The stores of the vaults, mode 0700.</summary>
    public string VaultsFolder => Path.Combine(Root, "vaults");

    /// <summary>Storage accounts: restored disks, mode 0700.</summary>
    public string StorageFolder => Path.Combine(Root, "storage");

    /// <summary>What is written to mounted recovery points, for as long as they are mounted; mode 0700.</summary>
    public string OverlayFolder => Path.Combine(Root, "overlays");

    /// <summary>What processes that read file systems have for themselves, where the server is not root; mode 0700.</summary>
    public string ReaderFolder => Path.Combine(Root, "readers");

    /// <summary>Disks on their way to hosts into whose pools the server cannot write.</summary>
    public string StagingFolder => Path.Combine(Root, "restores");

    /// <summary>What machines write that are booted to prove their recovery points; thrown away with them.</summary>
    public string VerificationFolder => Path.Combine(Root, "verification");

    /// <summary>The database of everything but the backed-up bytes, mode 0600; there from the start on, empty at first.</summary>
    public string DatabaseFile => Path.Combine(Root, "strongroom.db");

    /// <summary>How far the clock of a tester's folder is ahead of the machine's; there is none in other folders.</summary>
    public string ClockFile => Path.Combine(Root, "clock");

    private static string LockFile(string root) => Path.Combine(root, "strongroom.lock");

    /// <summary>Where a folder's principals are: they are changed beside a server that owns the folder.</summary>
    public static string PrincipalsFileOf(string root) => Path.Combine(root, "principals.json");

    private static string ProcessFile(string root) => Path.Combine(root, "strongroom.pid");

    private static string ServerIdFile(string root) => Path.Combine(root, "server-id");

    private static string FormatFile(string root) => Path.Combine(root, "format");

    /// <summary>Opens the folder, making it (mode 0700) and its sub-folders where there are none.</summary>
    /// <exception cref="DataFolderException">Another server owns the folder, or it cannot be used; the message says what to do.</exception>
    public static DataFolder Open(string path) => Open(path, true);

    /// <summary>As <see cref="Open(string)"/>, for mending what a server would refuse to start with: a lost database.</summary>
    /// <exception cref="DataFolderException">A server owns the folder, or it cannot be used.</exception>
    public static DataFolder OpenForRepair(string path) => Open(path, false);

    private static DataFolder Open(string path, bool mustBeWhole)
    {
        var root = Path.GetFullPath(path);
        try
        {
            if (!Directory.Exists(root))
                AtomicFile.CreatePrivateFolder(root);
            var ownership = Own(root);
            try
            {
                CheckFormat(root);
                var folder = new DataFolder(root, ownership, FindOrMakeServerId(root));
                foreach (var part in (string[])[folder.TlsFolder, folder.IdentityFolder, folder.CredentialsFolder, folder.VaultsFolder, folder.StorageFolder, folder.OverlayFolder, folder.ReaderFolder])
                    AtomicFile.CreatePrivateFolder(part);

                if (mustBeWhole) folder.RequireWhole();

                // SQLite makes its files for everybody to read; in a folder that is older than we are, that would be everybody.
                // It takes an empty file for a new database, and gives its log the mode of the database.
                AtomicFile.CreatePrivateFile(folder.DatabaseFile);
                WriteProcess(root);
                return folder;
            }
            catch
            {
                ownership.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException and not DataFolderException)
        {
            throw new DataFolderException($"The data folder '{root}' cannot be used: {error.Message}", error);
        }
    }

    /// <summary>Gives the folder up; everything that writes in it must have ended.</summary>
    public void Dispose()
    {
        // First the pid and then the lock: the other way round we could delete our successor's.
        File.Delete(ProcessFile(Root));
        ownership.Dispose();
    }

    /// <summary>The pid is for people. A server must start on a full disk too, or nothing could be deleted to make room.</summary>
    private static void WriteProcess(string root)
    {
        try { AtomicFile.Write(ProcessFile(root), Ascii(Environment.ProcessId), AtomicFile.Public); }
        catch (IOException) { /* As said: for people. */ }
    }

    /// <summary>One that cannot be read is made anew: what was left on hosts under the old one then stays there.</summary>
    private static Guid FindOrMakeServerId(string root)
    {
        var file = ServerIdFile(root);
        if (File.Exists(file) && Guid.TryParseExact(File.ReadAllText(file).Trim(), "N", out var found)) return found;
        var made = Guid.NewGuid();
        try { AtomicFile.Write(file, Encoding.ASCII.GetBytes($"{made:N}\n"), AtomicFile.Public); }
        catch (IOException) { /* As the process's: a full disk is no reason not to start. */ }

        return made;
    }

    /// <summary>Where there are stores there is no first start: an empty database would disown them, and a new key cannot open them.</summary>
    private void RequireWhole()
    {
        var hasDatabase = !IsEmpty(DatabaseFile) || !IsEmpty(DatabaseFile + "-wal");
        var hasStores = Directory.EnumerateDirectories(VaultsFolder).Any();
        if (hasStores && !hasDatabase)
        {
            throw new DataFolderException(
                $"'{DatabaseFile}' is missing or empty, but there are stores of vaults in '{VaultsFolder}'. Restore the file from a copy of the data folder, or have it made again from each store: strongroom store rebuild-catalogue '{VaultsFolder}/NAME' --data '{Root}' --key-file '{MasterKeyFile}'.", null);
        }

        // Stores may be elsewhere: the database comes after the key, so where it is, the key was.
        if ((hasStores || hasDatabase) && IsEmpty(MasterKeyFile))
        {
            throw new DataFolderException(
                $"'{MasterKeyFile}' is missing or empty, but this server has worked before, and nothing else opens the stores of its vaults. Restore the file from a copy.", null);
        }

        static bool IsEmpty(string file) => new FileInfo(file) is not { Exists: true, Length: > 0 };
    }

    private static FileStream Own(string root)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = AtomicFile.Private;

        FileStream ownership;
        try
        {
            ownership = new FileStream(LockFile(root), options);
        }
        catch (IOException error) when (File.Exists(LockFile(root)))
        {
            throw new DataFolderException(
                $"The data folder '{root}' is in use by another server{ProcessText(root)}. Stop that one first, or give this one a folder of its own.",
                error);
        }

        // A lock that does not lock (a network file system without locks, locking switched off for the process) would let
        // two servers write into one store: better to find out now.
        try
        {
            new FileStream(LockFile(root), options).Dispose();
        }
        catch (IOException)
        {
            return ownership;
        }

        ownership.Dispose();
        throw new DataFolderException(
            $"Files cannot be locked in the data folder '{root}', so nothing would keep a second server off it. Use a local file system.", null);
    }

    private static string ProcessText(string root)
    {
        try
        {
            return int.TryParse(File.ReadAllText(ProcessFile(root)).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? $" (process {id})"
                : "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static void CheckFormat(string root)
    {
        var file = FormatFile(root);
        if (!File.Exists(file))
        {
            AtomicFile.Write(file, Ascii(FormatVersion), AtomicFile.Public);
            return;
        }

        var text = File.ReadAllText(file).Trim();
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version != FormatVersion)
        {
            throw new DataFolderException(
                $"The data folder '{root}' has format '{text}', but this program writes format {FormatVersion}. Use the version of Strongroom that made it, or a later one.",
                null);
        }
    }

    private static byte[] Ascii(int number) => Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture) + "\n");
}
