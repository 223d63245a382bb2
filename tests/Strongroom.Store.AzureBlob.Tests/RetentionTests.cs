using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace Strongroom.Store.AzureBlob.Tests;

/// <summary>Immutability policies, which Azurite does not know: the requests are compared with the published interface.</summary>
public sealed class RetentionTests(Azurite azurite)
{
    private static readonly DateTimeOffset Until = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_container_without_it_says_so()
    {
        var container = new BlobContainerClient(azurite.ConnectionString, "c" + Guid.NewGuid().ToString("N"));
        await container.CreateAsync(cancellationToken: Token);
        var backend = new AzureBlobBackend(container, new());
        var support = await backend.GetSupportAsync(Token);
        Assert.False(support.IsAvailable);
        Assert.Contains("version-level immutability", support.Detail, StringComparison.Ordinal);
        await backend.PutIfAbsentAsync("a", new byte[1], Token);
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.RetainUntilAsync("a", Until, Token));
        Assert.Equal(StoreErrorKind.Unsupported, failure.Kind);
        Assert.True(await backend.DeleteAsync("a", Token));
    }

    [Theory(Timeout = 300_000)]
    [InlineData(true, "Locked")]
    [InlineData(false, "Unlocked")]
    public async Task A_policy_is_set_as_the_interface_says(bool isLocked, string mode)
    {
        var service = new ImmutableService();
        var backend = service.Open(new() { Prefix = "v/", IsRetentionLocked = isLocked });
        await backend.RetainUntilAsync("packs/a", Until.AddMilliseconds(-300), Token);
        var (method, target, headers) = Assert.Single(service.Requests, request => request.Method == "PUT");
        Assert.Equal("PUT", method);
        Assert.Equal("/account/vault/v/packs/a?comp=immutabilityPolicies", target);
        Assert.Equal(mode, headers["x-ms-immutability-policy-mode"], ignoreCase: true);
        Assert.Equal(Until, DateTimeOffset.Parse(headers["x-ms-immutability-policy-until-date"], CultureInfo.InvariantCulture));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_is_retained_for_longer_is_left_alone_and_not_deleted()
    {
        var service = new ImmutableService { RetainedUntil = Until };
        var backend = service.Open(new());
        await backend.RetainUntilAsync("a", Until.AddDays(-1), Token);
        Assert.Equal(Until, await backend.GetRetainedUntilAsync("a", Token));
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.DeleteAsync("a", Token));
        Assert.Equal(StoreErrorKind.Locked, failure.Kind);
        Assert.All(service.Requests, request => Assert.True(request.Method is "GET" or "HEAD"));
    }

    [Fact(Timeout = 300_000)]
    public async Task After_its_time_a_blob_goes_with_its_version()
    {
        var service = new ImmutableService { RetainedUntil = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        Assert.True(await service.Open(new()).DeleteAsync("a", Token));
        Assert.Equal(
            ["/account/vault/a", "/account/vault/a?versionid=2026-11-01T00:00:00.0000000Z"],
            service.Requests.Where(request => request.Method == "DELETE").Select(request => request.Target));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_is_not_there_cannot_be_retained()
    {
        var backend = new ImmutableService { HoldsNothing = true }.Open(new());
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.RetainUntilAsync("a", Until, Token));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
        Assert.Null(await backend.GetRetainedUntilAsync("a", Token));
    }

    /// <summary>Answers as a container with version-level immutability would; remembers what it was asked.</summary>
    private sealed class ImmutableService : HttpMessageHandler
    {
        private readonly ConcurrentQueue<(string Method, string Target, Dictionary<string, string> Headers)> requests = new();

        public DateTimeOffset? RetainedUntil { get; init; }

        public bool HoldsNothing { get; init; }

        public IReadOnlyCollection<(string Method, string Target, Dictionary<string, string> Headers)> Requests => requests;

        public AzureBlobBackend Open(AzureBlobOptions options)
        {
            var client = new BlobClientOptions { Transport = new HttpClientTransport(this), Retry = { MaxRetries = 0 } };
            var credential = new StorageSharedKeyCredential("account", "c2VjcmV0");
            return new(new BlobContainerClient(new Uri("http://127.0.0.1:1/account/vault"), credential, client), options);
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var uri = request.RequestUri!;
            requests.Enqueue((request.Method.Method, uri.PathAndQuery, request.Headers.ToDictionary(header => header.Key, header => header.Value.First(), StringComparer.OrdinalIgnoreCase)));
            var isContainer = uri.Query.Contains("restype=container", StringComparison.Ordinal);
            var answer = new HttpResponseMessage(
                HoldsNothing && !isContainer ? HttpStatusCode.NotFound : request.Method.Method == "DELETE" ? HttpStatusCode.Accepted : HttpStatusCode.OK);
            answer.Content = new ByteArrayContent([]);
            answer.Headers.Add("x-ms-version", "2024-11-04");
            if (answer.StatusCode == HttpStatusCode.NotFound)
                answer.Headers.Add("x-ms-error-code", "BlobNotFound");
            if (isContainer)
                answer.Headers.Add("x-ms-immutable-storage-with-versioning-enabled", "true");
            answer.Headers.Add("x-ms-version-id", "2026-11-01T00:00:00.0000000Z");
            if (RetainedUntil is { } until && !isContainer)
            {
                answer.Headers.Add("x-ms-immutability-policy-until-date", until.ToString("R", CultureInfo.InvariantCulture));
                answer.Headers.Add("x-ms-immutability-policy-mode", "locked");
            }

            return Task.FromResult(answer);
        }
    }
}
