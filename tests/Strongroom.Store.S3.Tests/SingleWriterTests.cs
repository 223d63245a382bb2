using Strongroom.Store.Tests.Blobs;

namespace Strongroom.Store.S3.Tests;

/// <summary>A server that does not create conditionally.</summary>
public sealed class SingleWriterTests(PlainServer server, RadosGateway gateway)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task It_is_refused_and_nothing_is_left_there()
    {
        var bucket = await MakeAsync();
        using var backend = bucket.Open();
        var failure = await Assert.ThrowsAsync<StoreException>(() => VaultStoreCreation(backend));
        Assert.Equal(StoreErrorKind.Unsupported, failure.Kind);
        Assert.Contains("writers=single", failure.Message, StringComparison.Ordinal);
        Assert.Empty(await bucket.KeysAsync());
    }

    [Fact(Timeout = 600_000)]
    public async Task With_a_single_writer_it_keeps_every_rule_within_one_process()
    {
        // The small server shows objects half written and lists them in another order: no mode makes that good. So the other one plays deaf.
        var bucket = Single(await Bucket.MakeAsync(gateway.Endpoint)) with { IsDeafToConditions = true };
        using var backend = bucket.Open();
        Assert.Equal(S3CreateMode.SingleWriter, await backend.PrepareAsync(Token));
        await Conformity.RequireAsync(backend, 6 << 20, Token);
    }

    [Fact(Timeout = 600_000)]
    public async Task With_a_single_writer_a_whole_vault_lives_there()
    {
        var bucket = Single(await MakeAsync());
        await VaultStory.TellAsync(() => bucket.Open());
    }

    [Fact(Timeout = 300_000)]
    public async Task The_single_writer_is_remembered_and_has_to_be_confirmed()
    {
        var bucket = await MakeAsync();
        using (var first = Single(bucket).Open())
        {
            Assert.Equal(S3CreateMode.SingleWriter, await first.PrepareAsync(Token));
            Assert.True(await first.PutIfAbsentAsync("a", new byte[3], Token));
        }

        using var unaware = bucket.Open();
        Assert.Equal(3, await unaware.GetLengthAsync("a", Token));
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await unaware.PutIfAbsentAsync("b", new byte[1], Token));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        Assert.Contains("writers=single", failure.Message, StringComparison.Ordinal);
    }

    private static Bucket Single(Bucket bucket) => bucket with { Options = bucket.Options with { IsSingleWriter = true } };

    private static Task<VaultStore> VaultStoreCreation(IBlobBackend backend) => Strongroom.Store.Tests.Fakes.TestVault.CreateAsync(backend);

    private Task<Bucket> MakeAsync() => Bucket.MakeAsync(server.Endpoint, PlainServer.Credential, PlainServer.Credential);
}
