using Strongroom.Arm;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Api.FileBrowsing;

/// <summary>The errors of browsing: codes of our own in Azure's shape.</summary>
internal static class FileErrors
{
    private const int RetrySeconds = 30;

    /// <summary>What stands at a path where something else was asked for, and what to do.</summary>
    public static string Instead(FilePath path, FileEntry entry) => $"'{path.Text}' is " + entry.Kind switch
    {
        FileKind.SymbolicLink => $"a symbolic link to '{System.Text.Encoding.UTF8.GetString(entry.LinkTarget.Span)}'. Ask for that.",
        FileKind.File => "a file, not a folder. Download it: strongroom files get.",
        FileKind.Directory or FileKind.Volume => "a folder, not a file. Say format=tar or format=zip to get all that is in it.",
        FileKind.Fifo => "a fifo: it holds nothing.",
        FileKind.Socket => "a socket: it holds nothing.",
        FileKind.CharacterDevice or FileKind.BlockDevice => "a device: it holds nothing.",
        _ => "neither a file nor a folder: the file system is damaged there.",
    };

    public static ArmException From(FileBrowsingException refused) => refused.Fault switch
    {
        FileBrowsingFault.NotFound => ArmErrors.Custom(404, "FileNotFound", refused.Message, "path"),
        FileBrowsingFault.NotAFolder => ArmErrors.Custom(400, "NotADirectory", refused.Message, "path"),
        FileBrowsingFault.NotAFile => ArmErrors.Custom(400, "NotAFile", refused.Message, "path"),
        FileBrowsingFault.BadPosition => Paging.Foreign(),
        FileBrowsingFault.Unreadable => ArmErrors.Custom(409, "VolumeNotReadable", refused.Message, "path"),
        FileBrowsingFault.Damaged => ArmErrors.Custom(409, "FileSystemDamaged", refused.Message, "path"),
        FileBrowsingFault.Busy => ArmErrors.ServerBusy(refused.Message, RetrySeconds),
        FileBrowsingFault.NotInstalled => ArmErrors.Custom(503, "FileReaderNotInstalled",
            refused.Message + " The operator installs it: libguestfs with supermin, qemu and a kernel (Debian: apt-get install libguestfs0 libguestfs-xfs linux-image-amd64)."),
        _ => ArmErrors.Custom(500, "FileReaderFailed", refused.Message),
    };
}
