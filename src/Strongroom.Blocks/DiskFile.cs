using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks;

/// <summary>An open disk image: the handle is what is read; the path only names it in messages and anchors relative backing files.</summary>
/// <remarks>Whoever checks a path checks the opened handle, so that nothing can be put in its place afterwards.</remarks>
public sealed class DiskFile : IDisposable
{
    /// <param name="path">Absolute path the handle was opened from.</param>
    /// <param name="handle">Open for reading; owned by this object from now on.</param>
    public DiskFile(string path, SafeFileHandle handle)
        : this(path, handle, isDevice: false)
    {
    }

    private DiskFile(string path, SafeFileHandle handle, bool isDevice)
    {
        Path = path;
        Handle = handle;
        IsDevice = isDevice;
    }

    public string Path { get; }

    public SafeFileHandle Handle { get; }

    /// <summary>True for a block device: its identity does not tell whether it was written to.</summary>
    public bool IsDevice { get; }

    /// <summary>The length in bytes, as it is now.</summary>
    /// <exception cref="IOException">It cannot be found out.</exception>
    public long LengthBytes
    {
        get
        {
            if (!IsDevice)
                return RandomAccess.GetLength(Handle);
            var end = LinuxFileCalls.Seek(Handle, 0, LinuxFileCalls.SeekEnd);
            return end >= 0 ? end : throw LinuxFileCalls.Failure("Cannot tell the length of", Path);
        }
    }

    /// <summary>The file's identity and state now.</summary>
    /// <exception cref="IOException">The file cannot be examined.</exception>
    public FileIdentity Identity => FileIdentity.Of(Handle, Path);

    /// <summary>Where the file lies now, all links resolved; ends in " (deleted)" when it has no name any more.</summary>
    /// <exception cref="IOException">The kernel does not tell.</exception>
    public string RealPath => PathHandle.ReadLink(Handle, Path);

    /// <summary>Opens a regular file for reading. A symbolic link as last part of the path is refused, and so is a pipe, socket, device or folder.</summary>
    /// <exception cref="IOException">There is no such file, it may not be read, or it is not a regular file.</exception>
    public static DiskFile OpenRegular(string path) => Open(path, path, LinuxFileCalls.NoFollow, mayBeDevice: false);

    /// <summary>Opens a regular file or a block device for reading; anything else is refused as by <see cref="OpenRegular"/>.</summary>
    /// <param name="path">Absolute path.</param>
    /// <param name="isShared">False: a device that is mounted, or held otherwise, is refused, and nobody can mount it while it is open (O_EXCL, open(2)).</param>
    /// <exception cref="DiskInUseException">The device is in use.</exception>
    /// <exception cref="IOException">There is no such file or device, or it may not be read.</exception>
    public static DiskFile OpenFileOrDevice(string path, bool isShared)
    {
        var file = Open(path, path, LinuxFileCalls.NoFollow, mayBeDevice: true);
        if (!file.IsDevice || isShared)
            return file;
        using (file)
            return Open($"/proc/self/fd/{file.Handle.DangerousGetHandle()}", path, LinuxFileCalls.Exclusive, mayBeDevice: true);
    }

    /// <summary>Opens the same file once more, whatever its path leads to now.</summary>
    /// <exception cref="IOException">It may not be read any more.</exception>
    public DiskFile Reopen() => Open($"/proc/self/fd/{Handle.DangerousGetHandle()}", Path, 0, IsDevice);

    public void Dispose() => Handle.Dispose();

    /// <param name="path">What is opened.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="flags">Of open(2), beside those that are always set.</param>
    internal static SafeFileHandle OpenHandle(string path, string name, int flags)
    {
        // Without O_NONBLOCK opening a named pipe would wait for a writer for ever; for files and disks the flag means nothing.
        var descriptor = LinuxFileCalls.Open(path, LinuxFileCalls.NonBlocking | LinuxFileCalls.CloseOnExec | flags);
        if (descriptor >= 0)
            return new(descriptor, ownsHandle: true);
        throw Marshal.GetLastPInvokeError() switch
        {
            LinuxFileCalls.TooManyLinks => new IOException($"'{name}' is a symbolic link; only regular files are opened."),
            LinuxFileCalls.Busy => new DiskInUseException($"'{name}' is in use: it is mounted, or belongs to something that is."),
            _ => LinuxFileCalls.Failure("Cannot open", name),
        };
    }

    private static DiskFile Open(string path, string name, int flags, bool mayBeDevice)
    {
        var handle = OpenHandle(path, name, LinuxFileCalls.ReadOnly | flags);
        try
        {
            var isDevice = mayBeDevice && FileIdentity.IsBlockDevice(handle, name);
            return isDevice || FileIdentity.IsRegular(handle, name)
                ? new DiskFile(name, handle, isDevice)
                : throw new IOException($"'{name}' is not a regular file{(mayBeDevice ? " or block device" : "")}.");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
