using Strongroom.Store.AzureBlob;
using Strongroom.Store.S3;

namespace Strongroom.Store.Locations;

/// <summary>Where a vault lies, as people write it: a folder's path, <c>azblob://...</c>, <c>https://...</c> or <c>s3://...</c>. Immutable; holds no secret.</summary>
public abstract record VaultLocation
{
    /// <summary>Reads what somebody wrote.</summary>
    /// <exception cref="StoreException">InvalidRequest: it is no location; the message says what is wrong with it.</exception>
    public static VaultLocation Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length == 0 || text.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0)
            throw LocationText.Bad(text, "it is empty or holds control characters");
        var end = text.IndexOf("://", StringComparison.Ordinal);
        return (end < 0 ? null : text[..end]) switch
        {
            null => new FolderLocation(text),
            "file" => FolderLocation.ParseUrl(text),
            "azblob" => AzureBlobLocation.ParseShort(text),
            "https" or "http" => AzureBlobLocation.ParseUrl(text),
            "s3" => S3Location.Parse(text),
            var scheme => throw LocationText.Bad(text, $"'{scheme}' is not known; write a folder's path, azblob://account/container/prefix, a container's https URL, or s3://bucket/prefix"),
        };
    }

    /// <summary>The place of one vault among others here.</summary>
    /// <param name="name">Letters, digits, dots, dashes and underscores.</param>
    public abstract VaultLocation Below(string name);

    /// <summary>Connects to what stands behind, without asking it anything yet.</summary>
    /// <param name="environment">Gives an environment variable's value or null; credentials come from there, or from files that the SDKs know.</param>
    /// <exception cref="StoreException">AccessDenied: there are no credentials, or not for this place.</exception>
    internal abstract IBlobBackend Connect(Func<string, string?> environment, TimeProvider time);
}

/// <summary>A folder of a local file system.</summary>
public sealed record FolderLocation(string Path) : VaultLocation
{
    /// <inheritdoc/>
    public override string ToString() => Path;

    /// <inheritdoc/>
    public override VaultLocation Below(string name) => this with { Path = System.IO.Path.Combine(Path, name) };

    internal static FolderLocation ParseUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Host.Length == 0 && url.Query.Length == 0
            ? new(url.LocalPath)
            : throw LocationText.Bad(text, "a folder's URL is file:///path");

    internal override IBlobBackend Connect(Func<string, string?> environment, TimeProvider time) => new LocalBackend(Path);
}

/// <summary>A place in a container of Azure Blob Storage, or of what speaks like it.</summary>
/// <param name="Account">The storage account.</param>
/// <param name="Container">The container; it exists already.</param>
/// <param name="Prefix">Empty, or ending with a slash.</param>
/// <param name="Endpoint">The account's Blob endpoint where the URL named it; null for the one of the credentials, or Azure's.</param>
public sealed record AzureBlobLocation(string Account, string Container, string Prefix, Uri? Endpoint) : VaultLocation
{
    /// <inheritdoc/>
    public override string ToString() =>
        Endpoint is null ? $"azblob://{Account}/{Container}/{Prefix}".TrimEnd('/') : $"{Endpoint.ToString().TrimEnd('/')}/{Container}/{Prefix}".TrimEnd('/');

    /// <inheritdoc/>
    public override VaultLocation Below(string name) => this with { Prefix = Prefix + name + "/" };

    internal static AzureBlobLocation ParseShort(string text)
    {
        var parts = LocationText.Split(text, out var query);
        LocationText.RefuseSecrets(text, query);
        if (query.Length > 0)
            throw LocationText.Bad(text, "azblob:// takes no parameters");
        return parts.Count < 2
            ? throw LocationText.Bad(text, "write azblob://account/container/prefix")
            : new(RequireAccount(text, parts[0]), RequireContainer(text, parts[1]), LocationText.Prefix(text, parts.Skip(2)), null);
    }

    internal static AzureBlobLocation ParseUrl(string text)
    {
        _ = LocationText.Split(text, out var query);
        LocationText.RefuseSecrets(text, query);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || query.Length > 0 || url.Fragment.Length > 0)
            throw LocationText.Bad(text, "a container's URL is https://account.blob.core.windows.net/container/prefix");
        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
            throw LocationText.Bad(text, "a container is reached by https://, other than on this machine");
        var (account, container, prefix) = AzureBlobConnection.Split(url);
        var parts = LocationText.Split("x://x/" + prefix, out _).Skip(1);
        return new(
            RequireAccount(text, account), RequireContainer(text, container), LocationText.Prefix(text, parts), AzureBlobConnection.EndpointOf(url));
    }

    internal override IBlobBackend Connect(Func<string, string?> environment, TimeProvider time) =>
        AzureBlobConnection.Open(Account, Container, Endpoint, new() { Prefix = Prefix }, environment);

    private static string RequireAccount(string text, string account) => account.Length is >= 3 and <= 24 && account.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
        ? account
        : throw LocationText.Bad(text, $"'{account}' is not a storage account's name: 3 to 24 of a-z and 0-9");

    private static string RequireContainer(string text, string container) =>
        container.Length is >= 3 and <= 63 && container.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && container[0] != '-'
            ? container
            : throw LocationText.Bad(text, $"'{container}' is not a container's name: 3 to 63 of a-z, 0-9 and -");
}

/// <summary>A place in an S3 bucket.</summary>
/// <param name="Bucket">The bucket; it exists already.</param>
/// <param name="Prefix">Empty, or ending with a slash.</param>
/// <param name="Region">Null for the environment's.</param>
/// <param name="Endpoint">A server other than Amazon's; null for Amazon.</param>
/// <param name="IsSingleWriter">The operator vouches that one program at a time writes.</param>
public sealed record S3Location(string Bucket, string Prefix, string? Region, Uri? Endpoint, bool IsSingleWriter) : VaultLocation
{
    /// <summary>True: Object Lock retains in governance mode, which some may lift; false: in compliance mode, which nobody may.</summary>
    public bool IsRetentionLiftable { get; init; }

    /// <inheritdoc/>
    public override string ToString()
    {
        string?[] parameters =
        [
            Region is null ? null : $"region={Region}",
            Endpoint is null ? null : $"endpoint={Endpoint.ToString().TrimEnd('/')}",
            IsSingleWriter ? "writers=single" : null,
            IsRetentionLiftable ? "retention=governance" : null,
        ];
        var query = string.Join('&', parameters.OfType<string>());
        return $"s3://{Bucket}/{Prefix}".TrimEnd('/') + (query.Length > 0 ? "?" + query : "");
    }

    /// <inheritdoc/>
    public override VaultLocation Below(string name) => this with { Prefix = Prefix + name + "/" };

    internal static new S3Location Parse(string text)
    {
        var parts = LocationText.Split(text, out var query);
        LocationText.RefuseSecrets(text, query);
        if (parts.Count == 0 || parts[0].Length is < 3 or > 63 || !parts[0].All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw LocationText.Bad(text, "write s3://bucket/prefix; a bucket's name has 3 to 63 letters, digits, dots or dashes");
        var location = new S3Location(parts[0], LocationText.Prefix(text, parts.Skip(1)), null, null, false);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var value = Uri.UnescapeDataString(parameter[(parameter.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            location = parameter.Split('=')[0] switch
            {
                "region" when value.Length > 0 => location with { Region = value },
                "endpoint" => location with { Endpoint = RequireEndpoint(text, value) },
                "writers" when value == "single" => location with { IsSingleWriter = true },
                "retention" when value == "governance" => location with { IsRetentionLiftable = true },
                "retention" when value == "compliance" => location with { IsRetentionLiftable = false },
                "retention" => throw LocationText.Bad(text, "retention can be 'compliance' or 'governance' only"),
                "writers" => throw LocationText.Bad(text, "writers can be 'single' only"),
                var name => throw LocationText.Bad(text, $"'{name}' is no parameter; there are region=, endpoint=, writers=single and retention=governance"),
            };
        }

        return location;
    }

    internal override IBlobBackend Connect(Func<string, string?> environment, TimeProvider time) => S3Connection.Open(
        new() { Bucket = Bucket, Prefix = Prefix, IsSingleWriter = IsSingleWriter, Retention = IsRetentionLiftable ? S3RetentionMode.Governance : S3RetentionMode.Compliance }, Region, Endpoint, time);

    private static Uri RequireEndpoint(string text, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { Query: "", UserInfo: "", AbsolutePath: "/" }
            ? url
            : throw LocationText.Bad(text, $"'{value}' is not a server: write endpoint=https://server:port");
}
