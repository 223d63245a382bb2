using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Trees;

/// <summary>
/// Copies of files that share their blocks (ioctl_ficlone(2)): all of a file at one moment, whoever writes to it. XFS, Btrfs and bcachefs have them, and take no
/// room but for what is written to the file meanwhile.
/// </summary>
internal static class FileClone
{
    private const uint PrivateMode = 0x180; // 0600

    /// <summary>A copy without a name, which is gone when it is closed; null where there can be none.</summary>
    /// <remarks>It is made in the file's own folder, for it must be on the same file system.</remarks>
    public static SafeFileHandle? TryMake(SafeFileHandle file)
    {
        if (new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget is not { } path || Path.GetDirectoryName(path) is not { } folder)
            return null;
        var descriptor = LinuxCalls.Open(folder, LinuxCalls.Nameless | LinuxCalls.ReadWrite | LinuxCalls.CloseOnExec, PrivateMode);
        if (descriptor < 0)
            return null;
        var clone = new SafeFileHandle(descriptor, ownsHandle: true);
        if (LinuxCalls.Clone(clone, LinuxCalls.CloneFile, file) == 0)
            return clone;
        clone.Dispose();
        return null;
    }
}
