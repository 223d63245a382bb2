using Strongroom.Store.Tests.Blobs;

[assembly: AssemblyFixture(typeof(Strongroom.Store.S3.Tests.RadosGateway))]
[assembly: AssemblyFixture(typeof(Strongroom.Store.S3.Tests.PlainServer))]

namespace Strongroom.Store.S3.Tests;

/// <summary>A server that creates conditionally.</summary>
public sealed class S3BackendTests(RadosGateway gateway)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task A_server_with_conditional_creation_keeps_every_rule()
    {
        using var backend = (await Bucket.MakeAsync(gateway.Endpoint)).Open();
        await Conformity.RequireAsync(backend, 20 << 20, Token, listedBlobs: 1100);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_whole_vault_lives_there()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        await VaultStory.TellAsync(() => bucket.Open());
    }

    [Fact(Timeout = 300_000)]
    public async Task What_the_probe_found_is_recorded_once_and_the_probe_leaves_nothing()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        using var backend = bucket.Open();
        var mode = await backend.PrepareAsync(Token);
        Assert.NotEqual(S3CreateMode.SingleWriter, mode);
        Assert.Equal(["a/vault/backend.json"], await bucket.KeysAsync());
        using var again = bucket.Open();
        Assert.Equal(mode, await again.PrepareAsync(Token));
    }

    [Fact(Timeout = 300_000)]
    public async Task Reading_leaves_no_trace_where_no_vault_is()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        using var backend = bucket.Open();
        Assert.False(await VaultStore.ExistsAsync(backend, Token));
        Assert.Null(await backend.GetLengthAsync("log/1", Token));
        Assert.Empty(await bucket.KeysAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_record_that_is_damaged_is_not_guessed_at()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        using (var backend = bucket.Open())
            await backend.PrepareAsync(Token);
        await bucket.OverwriteAsync("a/vault/backend.json", "{\"format\":\"strongroom-backend\",\"version\":1,\"creation\":\"whatever\"}");
        using var again = bucket.Open();
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await again.PutIfAbsentAsync("a", new byte[1], Token));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_missing_bucket_and_wrong_keys_are_named()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint);
        using var absent = (bucket with { Name = "no-such-bucket" }).Open();
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await absent.PutIfAbsentAsync("a", new byte[1], Token));
        Assert.True(failure.Kind == StoreErrorKind.InvalidRequest, failure.ToString());
        Assert.Contains("no-such-bucket", failure.Message, StringComparison.Ordinal);

        using var stranger = (bucket with { SecretKey = "wrong" }).Open();
        failure = await Assert.ThrowsAsync<StoreException>(async () => await stranger.GetLengthAsync("a", Token));
        Assert.Equal(StoreErrorKind.AccessDenied, failure.Kind);
        Assert.False(failure.IsTransient);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_server_that_is_not_there_is_a_transient_failure()
    {
        // Without the SDK's own patience, which takes twenty seconds.
        using var patient = new Bucket(new("http://127.0.0.1:9"), "b", "key", "secret").Client();
        var config = (Amazon.S3.AmazonS3Config)patient.Config;
        config.MaxErrorRetry = 0;
        using var backend = new S3Backend(
            new Amazon.S3.AmazonS3Client(new Amazon.Runtime.BasicAWSCredentials("key", "secret"), config), new() { Bucket = "b" }, TimeProvider.System);
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.GetLengthAsync("a", Token));
        Assert.Equal(StoreErrorKind.Io, failure.Kind);
        Assert.True(failure.IsTransient);
    }
}
