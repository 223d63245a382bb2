namespace Strongroom.Store;

/// <summary>Why the store refused or failed.</summary>
public enum StoreErrorKind
{
    /// <summary>Bytes in the vault are not what was written. Nothing wrong was handed out.</summary>
    Corrupt,

    /// <summary>The key encryption key does not open the vault.</summary>
    WrongKey,

    /// <summary>A blob, an image or a snapshot is not in the vault.</summary>
    NotFound,

    /// <summary>A vault is there already.</summary>
    AlreadyExists,

    /// <summary>No space is left behind the backend.</summary>
    Full,

    /// <summary>The backend failed otherwise; trying again may help.</summary>
    Io,

    /// <summary>Another writer changed the vault in a way that ends this work; start it again.</summary>
    Conflict,

    /// <summary>The caller or its source broke a rule of the store.</summary>
    InvalidRequest,

    /// <summary>A rule of the vault forbids it; the message names the rule.</summary>
    Refused,

    /// <summary>A lock forbids it until a time that the message names.</summary>
    Locked,

    /// <summary>The vault's format is newer than this program.</summary>
    Unsupported,

    /// <summary>The backend refused the credentials, or they lack a permission.</summary>
    AccessDenied,
}

/// <summary>An operational failure of the store. The message says what to do next.</summary>
public sealed class StoreException : Exception
{
    public StoreException(StoreErrorKind kind, string message)
        : base(message) => Kind = kind;

    public StoreException(StoreErrorKind kind, string message, Exception innerException)
        : base(message, innerException) => Kind = kind;

    /// <summary>The fact alone, as a part of a sentence, for reports that say themselves what to do; the message where there is nothing else.</summary>
    public string What { get => field ?? Message; private init; }

    /// <summary>What sort of failure it is.</summary>
    public StoreErrorKind Kind { get; }

    /// <summary>True when the same call may succeed later without a repair.</summary>
    public bool IsTransient => Kind is StoreErrorKind.Io or StoreErrorKind.Full or StoreErrorKind.Conflict;

    /// <summary>True when a blob that the vault needs is not there: of NotFound, what is damage rather than a mistake of the caller's.</summary>
    public bool IsBlobMissing { get; private init; }

    /// <summary>True when the vault lacks something or holds something unreadable, rather than the storage being out of reach.</summary>
    internal bool IsDamage => Kind is StoreErrorKind.Corrupt or StoreErrorKind.NotFound or StoreErrorKind.Unsupported;

    internal static StoreException Corrupt(string what) => new(
        StoreErrorKind.Corrupt,
        $"{what}. Nothing was changed; run a verification of the vault to see which recovery points are affected.")
    {
        What = what,
    };

    /// <summary>What a back end says when a blob that is read is not there: the vault has lost it.</summary>
    /// <param name="name">The blob's.</param>
    /// <param name="inner">What told it; may be null.</param>
    public static StoreException BlobMissing(string name, Exception? inner = null)
    {
        var what = $"The blob '{name}' is not in the vault";
        var message = $"{what}. Run a verification of the vault to see which recovery points need it.";
        return inner is null
            ? new(StoreErrorKind.NotFound, message) { What = what, IsBlobMissing = true }
            : new(StoreErrorKind.NotFound, message, inner) { What = what, IsBlobMissing = true };
    }
}
