using Strongroom.Arm;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Api.FileBrowsing;

/// <summary>The errors of browsing: codes of our own in Azure's shape.</summary>
internal static class FileErrors
{
    private const int RetrySeconds = 30;

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
