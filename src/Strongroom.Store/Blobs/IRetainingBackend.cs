namespace Strongroom.Store;

/// <summary>What a back end can do about retention at its place.</summary>
/// <param name="IsAvailable">True when <see cref="IRetainingBackend.RetainUntilAsync"/> works.</param>
/// <param name="Detail">What enforces it, or why it is not available; a part of a sentence.</param>
public readonly record struct RetentionSupport(bool IsAvailable, string Detail);

/// <summary>A back end below which something keeps blobs from being removed or changed until a time, whoever asks. Optional.</summary>
/// <remarks>
/// <see cref="IBlobBackend.DeleteAsync"/> of a retained blob changes nothing and fails with <see cref="StoreErrorKind.Locked"/>. Decorators pass this
/// interface on whether or not what they wrap has it: only <see cref="GetSupportAsync"/> tells. All members are safe for concurrent use.
/// </remarks>
public interface IRetainingBackend
{
    /// <summary>Whether retention is available at this place. Asks the place the first time; leaves nothing there.</summary>
    /// <exception cref="StoreException">Io, AccessDenied: nobody can tell.</exception>
    ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken);

    /// <summary>Keeps a blob from being removed or changed before a time, in whole seconds, rounded up. Never shortens what is longer already.</summary>
    /// <exception cref="StoreException">NotFound: there is no such blob. Unsupported: retention is not available.</exception>
    ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>Until when a blob is retained; null when nothing retains it, or it is not there. May be in the past.</summary>
    ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken);
}
