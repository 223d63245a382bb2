using Strongroom.Store.Locations;

namespace Strongroom.Server;

/// <summary>A place for vaults' stores that the operator has named.</summary>
/// <param name="Name">What a vault's tag says; letters, digits and dashes.</param>
/// <param name="Location">The place; each vault has one of its own below it.</param>
internal sealed record NamedStorage(string Name, VaultLocation Location)
{
    /// <summary>Reads <c>NAME=LOCATION</c>.</summary>
    /// <exception cref="ArgumentException">It is not so.</exception>
    public static NamedStorage Parse(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        var name = at < 0 ? "" : text[..at];
        return name.Length is > 0 and <= 60 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
            ? new(name, ParseLocation(text[(at + 1)..]))
            : throw new ArgumentException($"--storage takes NAME=LOCATION with a name of letters, digits and dashes, such as offsite=s3://bucket/vaults, not '{text}'.");
    }

    /// <summary>A folder's path is made absolute, because it is written down.</summary>
    /// <exception cref="Store.StoreException">InvalidRequest: it is no location.</exception>
    public static VaultLocation ParseLocation(string text) =>
        VaultLocation.Parse(text) is var location && location is FolderLocation folder ? folder with { Path = Path.GetFullPath(folder.Path) } : location;
}
