using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Cli.Store;

/// <summary>A place that the user named: a folder, or a container or bucket of a service.</summary>
internal static class LocationArgument
{
    public const string Description = "a folder, azblob://account/container/prefix, a container's https URL, or s3://bucket/prefix?region=R&endpoint=URL";

    /// <summary>The place, whether or not something is there.</summary>
    /// <exception cref="UsageException">The text names no place that is known.</exception>
    /// <exception cref="StoreException">AccessDenied: there are no credentials for it.</exception>
    public static VaultPlace Open(string text, BackendBudget? budget, TimeProvider time) => VaultPlace.Open(Parse(text), budget, time);

    /// <summary>The place, where something must be there: nothing is made for a mistyped path.</summary>
    /// <param name="remedy">A sentence: what to do where nothing is.</param>
    /// <exception cref="UsageException">The text names no place that is known.</exception>
    /// <exception cref="StoreException">NotFound; AccessDenied.</exception>
    public static VaultPlace OpenExisting(string text, string remedy, BackendBudget? budget, TimeProvider time)
    {
        var location = Parse(text);
        return location is FolderLocation folder && !Directory.Exists(folder.Path)
            ? throw new StoreException(StoreErrorKind.NotFound, $"Nothing is at '{folder.Path}': no such folder. {remedy}")
            : VaultPlace.Open(location, budget, time);
    }

    /// <summary>Whether two texts name one place, as far as the texts tell.</summary>
    /// <exception cref="UsageException">One of them names no place that is known.</exception>
    public static bool AreSame(string one, string other) => (Parse(one), Parse(other)) is var (first, second)
        && (first is FolderLocation a && second is FolderLocation b ? FullPath(a) == FullPath(b) : first.Equals(second));

    private static string FullPath(FolderLocation folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder.Path));

    private static VaultLocation Parse(string text)
    {
        try
        {
            return VaultLocation.Parse(text);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.InvalidRequest)
        {
            throw new UsageException(failure.Message);
        }
    }
}
