using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Blocks;

/// <summary>A place in the file system held fast, without opening what lies there: its name may be given to something else, this stays what it was.</summary>
/// <remarks>open(2) with O_PATH: no permission on the file itself is needed, and devices and pipes are not touched. Links are followed.</remarks>
public sealed class PathHandle : IDisposable
{
    private readonly SafeFileHandle _handle;

    private PathHandle(SafeFileHandle handle, string path)
    {
        _handle = handle;
        RealPath = ReadLink(handle, path);
    }

    /// <summary>Where it lay when it was opened, all links resolved.</summary>
    public string RealPath { get; }

    /// <summary>A path that leads here whatever happens to the names; for this process, as long as the object lives.</summary>
    public string PinnedPath => $"/proc/self/fd/{_handle.DangerousGetHandle()}";

    /// <summary>Identity and state of what lies there.</summary>
    /// <exception cref="IOException">It cannot be examined.</exception>
    public FileIdentity Identity => FileIdentity.Of(_handle, RealPath);

    /// <exception cref="IOException">Nothing is there, or a folder on the way may not be searched.</exception>
    public static PathHandle Open(string path)
    {
        var descriptor = LinuxFileCalls.Open(path, LinuxFileCalls.PathOnly | LinuxFileCalls.CloseOnExec);
        if (descriptor < 0)
            throw LinuxFileCalls.Failure("Cannot find", path);
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            return new PathHandle(handle, path);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => _handle.Dispose();

    /// <summary>The path of an open file as the kernel knows it (proc(5), /proc/PID/fd).</summary>
    internal static string ReadLink(SafeFileHandle handle, string path) =>
        new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget ?? throw new IOException($"Cannot tell where '{path}' lies: /proc is not mounted.");
}
