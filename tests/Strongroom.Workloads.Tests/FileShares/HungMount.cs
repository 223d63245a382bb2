using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>A mount whose file server never answers (FUSE without anybody behind it): who asks it for anything waits until this is disposed.</summary>
public sealed partial class HungMount : IDisposable
{
    private const int LazyDetach = 2; // MNT_DETACH
    private readonly string _path;
    private readonly SafeFileHandle _device;

    /// <param name="path">A folder that is there.</param>
    public HungMount(string path)
    {
        Programs.RequireRoot("mount a file system");
        if (!File.Exists("/dev/fuse")) Assert.Skip("There is no FUSE here.");
        _path = path;
        _device = File.OpenHandle("/dev/fuse", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (MountFileSystem("hung", path, "fuse", 0, $"fd={_device.DangerousGetHandle()},rootmode=40000,user_id=0,group_id=0") == 0) return;
        var why = Marshal.GetLastPInvokeErrorMessage();
        _device.Dispose();
        Assert.Skip($"No FUSE can be mounted here: {why}");
    }

    public void Dispose()
    {
        // All that wait fail now.
        _device.Dispose();
        Assert.Equal(0, Unmount(_path, LazyDetach));
    }

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MountFileSystem(string source, string target, string kind, nuint flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}
