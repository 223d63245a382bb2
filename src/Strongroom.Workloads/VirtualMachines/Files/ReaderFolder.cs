using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>The folder of one process that reads file systems: sockets, and what the appliance writes. Nobody else may look into it.</summary>
internal sealed partial class ReaderFolder : IDisposable
{
    // In the range that systemd keeps for users that exist while they are needed: nobody has an account of this number.
    private const uint UnprivilegedUser = 65431;

    private const string Prefix = "strongroom-files-";

    // By then it has sockets, or never will.
    private static readonly TimeSpan s_young = TimeSpan.FromMinutes(10);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory(Prefix);

    public ReaderFolder() => HandOver(Path);

    public string Path => _folder.FullName;

    /// <summary>The user that the process becomes; null: it stays who the server is.</summary>
    public static uint? User => EffectiveUser() == 0 ? UnprivilegedUser : null;

    /// <summary>The group that may use KVM, where there is one.</summary>
    public static uint? KvmGroup => File.ReadLines("/etc/group").Select(static line => line.Split(':')).FirstOrDefault(static f => f is ["kvm", _, _, ..])?[2] is { } id && uint.TryParse(id, out var group) ? group : null;

    /// <summary>Gives a file in it to the process.</summary>
    public static void HandOver(string path)
    {
        if (User is { } user && ChangeOwner(path, user, user) != 0) throw new IOException($"'{path}' cannot be given to user {user}: error {Marshal.GetLastPInvokeError()}.");
    }

    /// <summary>Removes the folders that a server and its readers left behind when all of them were killed at the same time.</summary>
    public static void Sweep(TimeProvider time)
    {
        foreach (var folder in new DirectoryInfo(System.IO.Path.GetTempPath()).EnumerateDirectories(Prefix + "*"))
        {
            try
            {
                if (folder.LinkTarget is null && folder.CreationTimeUtc < time.GetUtcNow().UtcDateTime - s_young && !folder.EnumerateFiles("*.sock").Any(IsServed)) folder.Delete(recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's.
            }
        }
    }

    public void Dispose()
    {
        // The process removes it as well, when it is told to end.
        for (var attempt = 0; attempt < 3 && Directory.Exists(Path); attempt++)
        {
            try { _folder.Delete(recursive: true); }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException) { /* Something in it has just gone, or come. */ }
        }
    }

    private static bool IsServed(FileInfo socket)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(socket.FullName));
            return true;
        }
        catch (SocketException failure)
        {
            return failure.SocketErrorCode != SocketError.ConnectionRefused;
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
