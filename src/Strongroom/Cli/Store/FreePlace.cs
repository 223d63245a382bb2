using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>A place for a new vault or a new copy: whoever mistypes a path shall not find a vault's folders strewn among other files.</summary>
internal static class FreePlace
{
    /// <summary>An ext file system has it from the beginning, so the root of a new disk is free all the same.</summary>
    private const string MadeByMkfs = "lost+found";

    /// <summary>What a vault or copy left that was begun and not finished is allowed.</summary>
    /// <param name="location">The place as the user named it.</param>
    /// <param name="backend">The same, opened.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="UsageException">Something else is there.</exception>
    public static async Task RequireAsync(string location, IBlobBackend backend, CancellationToken cancellationToken)
    {
        var stranger = LocationArgument.FolderOf(location) is { } folder ? FindIn(folder) : await FindAsync(backend, cancellationToken);
        if (stranger is not null)
            throw new UsageException($"'{location}' holds '{Shown.Text(stranger)}' and is no vault. Nothing was changed; name an empty place, or a new one below it.");
    }

    private static string? FindIn(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).FirstOrDefault(name => name != MadeByMkfs && !VaultContents.MayHold(name!))
        : null;

    private static async Task<string?> FindAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        await foreach (var blob in backend.ListAsync("", cancellationToken))
        {
            if (!VaultContents.MayHold(blob.Name.Split('/')[0]))
                return blob.Name;
        }

        return null;
    }
}
