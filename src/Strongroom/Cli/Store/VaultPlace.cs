using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Where a vault lies: what the user wrote, as a back end.</summary>
internal sealed class VaultPlace : IDisposable
{
    private VaultPlace(IBlobBackend backend) => Backend = backend;

    public IBlobBackend Backend { get; }

    /// <summary>The place, whether or not something is there.</summary>
    /// <exception cref="UsageException">The text names no place that is known.</exception>
    public static VaultPlace Of(string location)
    {
        if (location.Length == 0)
            throw new UsageException("The vault is missing: give the path of its folder.");
        return location.Contains("://", StringComparison.Ordinal)
            ? throw new UsageException($"'{location}' is no place for a vault that is known. Give the path of a folder.")
            : new VaultPlace(new LocalBackend(location));
    }

    /// <summary>The place, for a vault that must be there: nothing is made for a mistyped path.</summary>
    /// <exception cref="StoreException">NotFound.</exception>
    public static VaultPlace OfExisting(string location)
    {
        var place = Of(location);
        return place.Backend is LocalBackend && !Directory.Exists(location)
            ? throw new StoreException(StoreErrorKind.NotFound, $"There is no vault at '{location}': no such folder. Check the path, or make a vault with 'strongroom store init'.")
            : place;
    }

    public void Dispose() => (Backend as IDisposable)?.Dispose();
}
