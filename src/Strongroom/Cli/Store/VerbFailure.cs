using System.Security.Cryptography;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>How a verb failed, for people and for programs.</summary>
/// <param name="Code">Stable; one word.</param>
internal sealed record VerbFailure(string Code, string Message, int ExitCode)
{
    /// <summary>Null for what is a fault of ours: it shall be seen whole.</summary>
    public static VerbFailure? Of(Exception exception, CancellationToken cancellationToken) => exception switch
    {
        // Of any type: whoever is cancelled may fail in a way of his own.
        _ when cancellationToken.IsCancellationRequested => new("Interrupted", "Stopped. The vault is as usable as before.", ExitCodes.Interrupted),
        UsageException => new("Usage", exception.Message, ExitCodes.Usage),
        StoreException { Kind: StoreErrorKind.Corrupt } => new(nameof(StoreErrorKind.Corrupt), $"{exception.Message} The verification is 'strongroom store verify VAULT --read-data'.", ExitCodes.Damage),
        StoreException { IsBlobMissing: true } lost => new(nameof(StoreErrorKind.NotFound), $"{lost.Message} The verification is 'strongroom store verify VAULT --read-data'.", ExitCodes.Damage),
        StoreException store => new(store.Kind.ToString(), store.Message, ExitCodes.Failed),
        IOException or UnauthorizedAccessException or InvalidDataException => new("Io", exception.Message, ExitCodes.Failed),
        CryptographicException => new("Cryptography", exception.Message, ExitCodes.Failed),
        _ => null,
    };
}
