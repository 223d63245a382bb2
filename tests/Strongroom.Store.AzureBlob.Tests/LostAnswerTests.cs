using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace Strongroom.Store.AzureBlob.Tests;

/// <summary>Answers that are lost or that ask for patience, on the way to a real service.</summary>
public sealed class LostAnswerTests(Azurite azurite)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_creation_whose_answer_was_lost_is_found_to_be_ours()
    {
        var network = new Network();
        var backend = await OpenAsync(network);
        network.LoseNext = 1;
        Assert.True(await backend.PutIfAbsentAsync("mine", "mine"u8.ToArray(), Token));
        Assert.Equal(1, network.Lost);

        await using var other = await backend.CreateAsync("mine", Token);
        await other.AppendAsync("mine"u8.ToArray(), Token);
        network.LoseNext = 1;
        Assert.False(await other.CommitAsync(Token));
        Assert.Equal(4, await backend.GetLengthAsync("mine", Token));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_commit_of_blocks_whose_answer_was_lost_is_found_to_be_ours()
    {
        var network = new Network();
        var backend = await OpenAsync(network);
        var content = new byte[1_000_000];
        new Random(1).NextBytes(content);
        await using var writer = await backend.CreateAsync("large", Token);
        await writer.AppendAsync(content, Token);
        network.LoseNext = 20;
        network.LosesOnly = "comp=blocklist";
        var commit = writer.CommitAsync(Token).AsTask();
        await Assert.ThrowsAsync<StoreException>(() => commit);

        // The SDK gave up; whoever repeats the commit learns that it had happened.
        network.LoseNext = 0;
        Assert.True(await writer.CommitAsync(Token));
        var found = new byte[content.Length];
        Assert.Equal(content.Length, await backend.ReadAsync("large", 0, found, Token));
        Assert.Equal(content, found);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_small_blob_is_one_request_and_a_large_one_its_blocks_and_their_list()
    {
        var network = new Network();
        var backend = await OpenAsync(network);
        var before = network.Requests;
        Assert.True(await backend.PutIfAbsentAsync("empty", ReadOnlyMemory<byte>.Empty, Token));
        Assert.True(await backend.PutIfAbsentAsync("small", new byte[100_000], Token));
        await using (var writer = await backend.CreateAsync("one-block", Token))
        {
            await writer.AppendAsync(new byte[300_000], Token);
            Assert.True(await writer.CommitAsync(Token));
        }

        Assert.Equal(before + 3, network.Requests);
        await using (var writer = await backend.CreateAsync("blocks", Token))
        {
            await writer.AppendAsync(new byte[700_000], Token);
            Assert.True(await writer.CommitAsync(Token));
        }

        Assert.Equal(before + 3 + 4, network.Requests);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_busy_service_is_waited_for()
    {
        var network = new Network();
        var backend = await OpenAsync(network);
        network.BusyNext = 2;
        Assert.True(await backend.PutIfAbsentAsync("a", new byte[5], Token));
        network.BusyNext = 2;
        Assert.Equal(5, await backend.ReadAsync("a", 0, new byte[10], Token));
        Assert.Equal(0, network.BusyNext);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_missing_container_and_a_wrong_key_are_named()
    {
        var absent = new AzureBlobBackend(new BlobContainerClient(azurite.ConnectionString, "no-such-container"), new());
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await absent.PutIfAbsentAsync("a", new byte[1], Token));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        Assert.Contains("no-such-container", failure.Message, StringComparison.Ordinal);
        failure = await Assert.ThrowsAsync<StoreException>(async () => await absent.GetLengthAsync("a", Token));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);

        var stranger = new AzureBlobBackend(
            new BlobContainerClient(azurite.ConnectionString.Replace(Azurite.Key, "d3Jvbmc=", StringComparison.Ordinal), "no-such-container"), new());
        failure = await Assert.ThrowsAsync<StoreException>(async () => await stranger.GetLengthAsync("a", Token));
        Assert.Equal(StoreErrorKind.AccessDenied, failure.Kind);
        Assert.False(failure.IsTransient);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_environment_s_connection_string_opens_a_location()
    {
        var name = "c" + Guid.NewGuid().ToString("N");
        await new BlobContainerClient(azurite.ConnectionString, name).CreateAsync();
        var backend = AzureBlobConnection.Open(
            Azurite.Account, name, endpoint: null, new(), variable => variable == "AZURE_STORAGE_CONNECTION_STRING" ? azurite.ConnectionString : null);
        Assert.True(await backend.PutIfAbsentAsync("a", new byte[1], Token));
        var byKey = AzureBlobConnection.Open(Azurite.Account, name, azurite.Endpoint, new(), variable => variable == "AZURE_STORAGE_KEY" ? Azurite.Key : null);
        Assert.Equal(1, await byKey.GetLengthAsync("a", Token));
    }

    private async Task<AzureBlobBackend> OpenAsync(Network network)
    {
        var options = new BlobClientOptions { Retry = { MaxRetries = 3, Delay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(20) } };
        options.AddPolicy(network, HttpPipelinePosition.PerRetry);
        var container = new BlobContainerClient(azurite.ConnectionString, "c" + Guid.NewGuid().ToString("N"), options);
        await container.CreateAsync();
        return new(container, new() { BlockLengthBytes = 300_000 });
    }

    /// <summary>Loses answers of requests that the service carried out, or answers itself that the service is busy.</summary>
    private sealed class Network : HttpPipelinePolicy
    {
        private int lost;
        private int loseNext;
        private int busyNext;
        private int requests;

        public int LoseNext { get => loseNext; set => loseNext = value; }

        public int BusyNext { get => Math.Max(0, busyNext); set => busyNext = value; }

        public string LosesOnly { get; set; } = "";

        public int Lost => lost;

        /// <summary>Requests that reached the service.</summary>
        public int Requests => requests;

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            if (Interlocked.Decrement(ref busyNext) >= 0)
            {
                message.Response = new Busy();
                return;
            }

            Interlocked.Increment(ref requests);
            await ProcessNextAsync(message, pipeline);
            if (message.Request.Method == RequestMethod.Put
                && message.Request.Uri.Query.Contains(LosesOnly, StringComparison.Ordinal) && Interlocked.Decrement(ref loseNext) >= 0)
            {
                Interlocked.Increment(ref lost);
                throw new IOException("The connection broke before the answer came.");
            }
        }

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();
    }

    /// <summary>What the service answers when it is asked too much.</summary>
    private sealed class Busy : Azure.Response
    {
        public override int Status => 503;

        public override bool IsError => true;

        public override string ReasonPhrase => "Server Busy";

        public override Stream? ContentStream { get; set; } = new MemoryStream();

        public override string ClientRequestId { get; set; } = "";

        public override void Dispose()
        {
        }

        protected override bool ContainsHeader(string name) => false;

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => [];

        protected override bool TryGetHeader(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
        {
            value = null;
            return false;
        }

        protected override bool TryGetHeaderValues(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IEnumerable<string>? values)
        {
            values = null;
            return false;
        }
    }
}
