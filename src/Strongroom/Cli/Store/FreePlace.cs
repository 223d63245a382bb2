using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Cli.Store;

/// <summary>A place for a new vault or a new copy: whoever mistypes a path shall not find a vault's folders strewn among other files.</summary>
internal static class FreePlace
{
    /// <summary>An ext file system has it from the beginning, so the root of a new disk is free all the same.</summary>
    private const string MadeByMkfs = "lost+found";

    /// <summary>What a vault or copy left that was begun and not finished is allowed.</summary>
    /// <param name="location">The place as the user named it.</param>
    /// <param name="place">The same, opened.</param>
    /// <param name="cancellationToken">Ends the look.</param>
    /// <exception cref="UsageException">Something else is there.</exception>
    public static async Task RequireAsync(string location, VaultPlace place, CancellationToken cancellationToken)
    {
        await foreach (var name in place.ListNamesAsync(cancellationToken))
        {
            // The name is empty where somebody made an object for the folder itself, as consoles of services do.
            if (name.Length > 0 && name != MadeByMkfs && !VaultContents.MayHold(name.Split('/')[0]))
                throw new UsageException($"'{location}' holds '{Shown.Text(name)}' and is no vault. Nothing was changed; name an empty place, or a new one below it.");
        }
    }
}
