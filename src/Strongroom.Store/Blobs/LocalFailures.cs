namespace Strongroom.Store.Blobs;

/// <summary>Says in the store's words what a local file system's error means.</summary>
internal static class LocalFailures
{
    private const int Enospc = 28;
    private const int Edquot = 122;

    public static StoreException Translate(Exception failure, string name) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => new(
            StoreErrorKind.NotFound,
            $"The blob '{name}' is not in the vault. Run a verification of the vault to see which recovery points need it.",
            failure),

        // On Unix the runtime hands errno on as HResult.
        IOException { HResult: Enospc or Edquot } => new(
            StoreErrorKind.Full,
            $"No space is left for '{name}'. Free or add space, then run the backup again; recovery points that exist are intact.",
            failure),
        _ => new(
            StoreErrorKind.Io,
            $"The vault's storage failed at '{name}': {failure.Message}. Check the disk and its mount, then try again.",
            failure),
    };
}
