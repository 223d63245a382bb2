namespace Strongroom.Store.Blobs;

/// <summary>Says in the store's words what a local file system's error means.</summary>
internal static class LocalFailures
{
    private const int Eacces = 13;
    private const int Enospc = 28;
    private const int Erofs = 30;
    private const int Eopnotsupp = 95;
    private const int Edquot = 122;

    public static StoreException Translate(Exception failure, string name) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => StoreException.BlobMissing(name, failure),

        // On Unix the runtime hands errno on as HResult.
        IOException { HResult: Enospc or Edquot } => new(
            StoreErrorKind.Full,
            $"No space is left for '{name}'. Free or add space, then try again; recovery points that exist are intact.",
            failure),
        IOException { HResult: PosixCalls.Eperm or Eopnotsupp } when failure.Message.StartsWith("link ", StringComparison.Ordinal) => new(
            StoreErrorKind.Unsupported,
            $"The file system does not give a file a second name ({failure.Message}), which is how blobs are created. Use one with hard links, such as ext4, XFS, Btrfs, ZFS or NFS.",
            failure),
        UnauthorizedAccessException or IOException { HResult: Eacces or Erofs } => new(
            StoreErrorKind.AccessDenied,
            $"This process may not do what the vault needs at '{name}': {failure.Message.TrimEnd('.')}. Check the owner and the mode of the vault's folder, and whether its file system is mounted read-only.",
            failure),
        _ => new(
            StoreErrorKind.Io,
            $"The vault's storage failed at '{name}': {failure.Message.TrimEnd('.')}. Check the disk and its mount, then try again.",
            failure),
    };
}
