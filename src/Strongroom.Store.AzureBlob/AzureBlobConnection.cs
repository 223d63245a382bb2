using Azure;
using Azure.Core;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace Strongroom.Store.AzureBlob;

/// <summary>Clients of the Blob service as the store needs them, with credentials from the environment.</summary>
public static class AzureBlobConnection
{
    private const string ConnectionStringVariable = "AZURE_STORAGE_CONNECTION_STRING";
    private const string KeyVariable = "AZURE_STORAGE_KEY";
    private const string SignatureVariable = "AZURE_STORAGE_SAS_TOKEN";

    /// <summary>Connects with a connection string, the account's key, or a shared access signature: the first of those that the environment has.</summary>
    /// <param name="account">The account's name.</param>
    /// <param name="container">An existing container.</param>
    /// <param name="endpoint">The account's Blob endpoint; null for the connection string's, or the one of Azure's public cloud.</param>
    /// <param name="options">Prefix, and how blobs are sent.</param>
    /// <param name="environment">Gives an environment variable's value or null.</param>
    /// <exception cref="StoreException">AccessDenied: there are no credentials, they cannot be read, or they are of another account.</exception>
    public static AzureBlobBackend Open(string account, string container, Uri? endpoint, AzureBlobOptions options, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var service = endpoint ?? new Uri($"https://{account}.blob.core.windows.net");
        if (Given(environment, ConnectionStringVariable) is { } connectionString)
            return new(FromConnectionString(connectionString, account, endpoint).GetBlobContainerClient(container), options);
        if (Given(environment, KeyVariable) is { } key)
            return new(new BlobServiceClient(service, Credential(account, key), Options()).GetBlobContainerClient(container), options);
        if (Given(environment, SignatureVariable) is { } signature)
            return new(new BlobServiceClient(service, new AzureSasCredential(signature.TrimStart('?')), Options()).GetBlobContainerClient(container), options);
        throw Denied($"No credentials for the storage account '{account}' were found. Set {ConnectionStringVariable}, {KeyVariable} or {SignatureVariable}.", null);
    }

    /// <summary>Account, container and the rest of a URL, whether the account is in the host's name or in the path.</summary>
    public static (string Account, string Container, string Prefix) Split(Uri url)
    {
        var parts = new BlobUriBuilder(url);
        return (parts.AccountName, parts.BlobContainerName, parts.BlobName);
    }

    /// <summary>The account's endpoint that a URL lies below.</summary>
    public static Uri EndpointOf(Uri url) => new BlobUriBuilder(url) { BlobContainerName = "", BlobName = "", Query = "" }.ToUri();

    private static string? Given(Func<string, string?> environment, string name) => environment(name) is { Length: > 0 } value ? value.Trim() : null;

    private static BlobServiceClient FromConnectionString(string connectionString, string account, Uri? endpoint)
    {
        BlobServiceClient service;
        try
        {
            service = new(connectionString, Options());
        }
        catch (Exception failure) when (failure is FormatException or ArgumentException or InvalidOperationException)
        {
            throw Denied($"{ConnectionStringVariable} is not a connection string: copy it again from the storage account.", failure);
        }

        if (service.AccountName != account)
            throw Denied($"{ConnectionStringVariable} is of the account '{service.AccountName}', and the vault's location is in '{account}'.", null);
        return endpoint is null || Uri.Compare(endpoint, service.Uri, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0
            ? service
            : throw Denied($"{ConnectionStringVariable} leads to '{service.Uri.GetLeftPart(UriPartial.Authority)}', and the vault's location to '{endpoint.GetLeftPart(UriPartial.Authority)}'.", null);
    }

    private static StorageSharedKeyCredential Credential(string account, string key)
    {
        try
        {
            return new(account, key);
        }
        catch (FormatException failure)
        {
            throw Denied($"{KeyVariable} is not an account's key: copy it again from the storage account.", failure);
        }
    }

    private static StoreException Denied(string message, Exception? inner) =>
        inner is null ? new(StoreErrorKind.AccessDenied, message) : new(StoreErrorKind.AccessDenied, message, inner);

    /// <summary>Throttling and lost answers are repeated by the SDK, after the pause that the service asks for or a growing one with jitter.</summary>
    private static BlobClientOptions Options() => new()
    {
        Retry =
        {
            Mode = RetryMode.Exponential,
            Delay = TimeSpan.FromMilliseconds(400),
            MaxDelay = TimeSpan.FromSeconds(10),
            MaxRetries = 5,
            NetworkTimeout = TimeSpan.FromSeconds(100),
        },
        Diagnostics = { IsTelemetryEnabled = false },
    };
}
