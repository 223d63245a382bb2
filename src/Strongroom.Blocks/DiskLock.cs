using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks;

/// <summary>Keeps a disk image for this process: while it is held, QEMU does not start a machine that has the disk.</summary>
/// <remarks>
/// An open file description lock on the whole file (fcntl(2), F_OFD_SETLK): QEMU's own locks on its images are of this kind, and conflict. A program that
/// takes no locks is found by its open file, in as far as /proc shows the files of other users' processes.
/// </remarks>
public sealed class DiskLock : IDisposable
{
    private const int GetLock = 36;
    private const int SetLock = 37;
    private const ulong WriteLock = 1;
    private const ulong NoLock = 2;

    // QEMU's block/file-posix.c: whoever may write to an image holds a shared lock on this byte of it.
    private const ulong QemuWriteByte = 101;
    private const int Looks = 5;
    private const int TryAgain = 11;
    private const int PermissionDenied = 13;

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(100);

    private readonly SafeFileHandle _handle;

    private DiskLock(SafeFileHandle handle) => _handle = handle;

    /// <param name="path">Real path of the image.</param>
    /// <exception cref="DiskInUseException">Another process has it.</exception>
    /// <exception cref="IOException">It is not there, or may not be written.</exception>
    public static DiskLock Take(string path)
    {
        // A process that somebody here starts has all open files of this one, and their locks, until it is its own program.
        for (var look = 1; ; look++)
        {
            try
            {
                return TakeNow(path);
            }
            catch (DiskInUseException) when (look < Looks)
            {
                CancellationToken.None.WaitHandle.WaitOne(BetweenLooks);
            }
        }
    }

    private static DiskLock TakeNow(string path)
    {
        if (FindUser(path) is { } user) throw new DiskInUseException($"'{path}' is open in process {user}.");
        var handle = DiskFile.OpenHandle(path, path, LinuxFileCalls.ReadWrite | LinuxFileCalls.NoFollow);
        // struct flock: type and whence, then start and length 0 (to the end of the file), then the process, which must be 0.
        if (LinuxFileCalls.FileControl(handle, SetLock, [WriteLock, 0, 0, 0]) == 0) return new(handle);
        var error = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
        handle.Dispose();
        throw error is TryAgain or PermissionDenied
            ? new DiskInUseException($"'{path}' is locked by another process.")
            : new IOException($"Cannot lock '{path}': {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    /// <summary>True while QEMU, or a <see cref="DiskLock"/>, holds the image for writing. Takes nothing.</summary>
    /// <exception cref="IOException">The file system does not tell.</exception>
    public static bool HasWriter(DiskFile image)
    {
        ulong[] query = [WriteLock, QemuWriteByte, 1, 0];
        return LinuxFileCalls.FileQuery(image.Handle, GetLock, query) == 0
            ? (query[0] & 0xffff) != NoLock
            : throw LinuxFileCalls.Failure("Cannot tell the locks of", image.Path);
    }

    public void Dispose() => _handle.Dispose();

    /// <summary>A process, other than this one, that has the file open.</summary>
    private static string? FindUser(string path)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            var id = Path.GetFileName(process);
            if (!id.All(char.IsAsciiDigit) || id == Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)) continue;
            try
            {
                if (Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(open => new FileInfo(open).LinkTarget == path)) return id;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It has ended, or belongs to another user.
            }
        }

        return null;
    }
}
