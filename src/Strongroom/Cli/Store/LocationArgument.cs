using Strongroom.Blocks;
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
    public static VaultPlace Open(string text, BackendBudget? budget, TimeProvider time) => Open(Parse(text), budget, time);

    /// <summary>The place, where something must be there: nothing is made for a mistyped path.</summary>
    /// <param name="remedy">A sentence: what to do where nothing is.</param>
    /// <exception cref="UsageException">The text names no place that is known.</exception>
    /// <exception cref="StoreException">NotFound; AccessDenied.</exception>
    public static VaultPlace OpenExisting(string text, string remedy, BackendBudget? budget, TimeProvider time)
    {
        var location = Parse(text);
        return location is FolderLocation folder && !Path.Exists(folder.Path)
            ? throw new StoreException(StoreErrorKind.NotFound, $"Nothing is at '{folder.Path}': no such folder. {remedy}")
            : Open(location, budget, time);
    }

    /// <summary>Whether two texts name one place, or one within the other, as far as the texts tell.</summary>
    /// <exception cref="UsageException">One of them names no place that is known.</exception>
    public static bool Overlap(string one, string other)
    {
        var (first, second) = (PathOf(Parse(one)), PathOf(Parse(other)));
        return first.StartsWith(second, StringComparison.Ordinal) || second.StartsWith(first, StringComparison.Ordinal);
    }

    /// <summary>The path where it is a folder, or null.</summary>
    /// <exception cref="UsageException">The text names no place that is known.</exception>
    public static string? FolderOf(string text) => (Parse(text) as FolderLocation)?.Path;

    /// <summary>Whether a path of this machine is the place itself or lies in it, links resolved.</summary>
    /// <exception cref="UsageException">The text names no place that is known.</exception>
    /// <exception cref="IOException">One of them cannot be looked at.</exception>
    public static bool Contains(string text, string path) => Parse(text) is FolderLocation folder
        && (RealPathOf(Path.GetFullPath(path)) + "/").StartsWith(RealPathOf(Path.GetFullPath(folder.Path)).TrimEnd('/') + "/", StringComparison.Ordinal);

    /// <summary>Of what is there; the rest of the path is as it was named.</summary>
    private static string RealPathOf(string path)
    {
        if (!Path.Exists(path) && Path.GetDirectoryName(path) is { } parent)
            return Path.Combine(RealPathOf(parent), Path.GetFileName(path));
        using var place = PathHandle.Open(path);
        return place.RealPath;
    }

    private static string PathOf(VaultLocation location) => (location is FolderLocation folder ? Path.GetFullPath(folder.Path) : $"{location}").TrimEnd('/') + "/";

    private static VaultPlace Open(VaultLocation location, BackendBudget? budget, TimeProvider time) => location is FolderLocation folder && File.Exists(folder.Path)
        ? throw new UsageException($"'{folder.Path}' is a file. A vault is a folder, or a place in a container or bucket.")
        : VaultPlace.Open(location, budget, time, Waiting);

    /// <summary>Without a word nobody would know a mistyped endpoint from a slow one.</summary>
    private static void Waiting(StoreException failure) => VerbConsole.Note($"{failure.Message} Trying again for up to {RetryOptions.Default.Patience.TotalMinutes:0} minutes; Ctrl-C ends it.");

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
