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
    {
        Path = path;
        Handle = handle;
    }

    public string Path { get; }

    public SafeFileHandle Handle { get; }

    /// <summary>The file's identity and state now.</summary>
    /// <exception cref="IOException">The file cannot be examined.</exception>
    public FileIdentity Identity => FileIdentity.Of(Handle, Path);

    /// <summary>Where the file lies now, all links resolved; ends in " (deleted)" when it has no name any more.</summary>
    /// <exception cref="IOException">The kernel does not tell.</exception>
    public string RealPath => PathHandle.ReadLink(Handle, Path);

    /// <summary>Opens a regular file for reading. A symbolic link as last part of the path is refused, and so is a pipe, socket, device or folder.</summary>
    /// <exception cref="IOException">There is no such file, it may not be read, or it is not a regular file.</exception>
    public static DiskFile OpenRegular(string path) => Open(path, path, LinuxFileCalls.NoFollow);

    /// <summary>Opens the same file once more, whatever its path leads to now.</summary>
    /// <exception cref="IOException">It may not be read any more.</exception>
    public DiskFile Reopen() => Open($"/proc/self/fd/{Handle.DangerousGetHandle()}", Path, 0);

    public void Dispose() => Handle.Dispose();

    private static DiskFile Open(string path, string name, int flags)
    {
        // Without O_NONBLOCK opening a named pipe would wait for a writer for ever; for regular files the flag means nothing.
        var descriptor = LinuxFileCalls.Open(path, LinuxFileCalls.ReadOnly | LinuxFileCalls.NonBlocking | LinuxFileCalls.CloseOnExec | flags);
        if (descriptor < 0)
        {
            if (Marshal.GetLastPInvokeError() == LinuxFileCalls.TooManyLinks)
                throw new IOException($"'{name}' is a symbolic link; only regular files are opened.");
            throw LinuxFileCalls.Failure("Cannot open", name);
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            if (!FileIdentity.IsRegular(handle, name))
                throw new IOException($"'{name}' is not a regular file.");
            return new DiskFile(name, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }
}
