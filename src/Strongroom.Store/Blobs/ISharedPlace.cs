namespace Strongroom.Store;

/// <summary>A back end whose place may hold what is no blob, which <see cref="IBlobBackend.ListAsync"/> passes over.</summary>
public interface ISharedPlace
{
    /// <summary>The names of all that is in the place, whoever made it, at least up to their first slash.</summary>
    /// <exception cref="StoreException">Io, AccessDenied, NotFound.</exception>
    IAsyncEnumerable<string> ListNamesAsync(CancellationToken cancellationToken);
}
