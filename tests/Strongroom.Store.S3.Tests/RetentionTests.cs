using Amazon.S3;
using Amazon.S3.Model;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.S3.Tests;

/// <summary>Object Lock of a real server.</summary>
public sealed class RetentionTests(RadosGateway gateway)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 600_000)]
    [InlineData(S3RetentionMode.Compliance)]
    [InlineData(S3RetentionMode.Governance)]
    public async Task A_bucket_with_object_lock_keeps_every_rule(S3RetentionMode mode)
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint, hasObjectLock: true);

        // Ceph 16 does not hear conditions in buckets with versions; the probe finds that out.
        bucket = bucket with { Options = bucket.Options with { Retention = mode, IsSingleWriter = true } };
        using var backend = bucket.Open();
        Assert.True((await backend.GetSupportAsync(Token)).IsAvailable);
        var report = await Conformity.RequireAsync(backend, 6 << 20, Token);
        Assert.Contains(report.Results, result => result.Rule == "retain");

        // Deleted for good: no version takes room, and no marker hides a name.
        using var client = bucket.Client();
        var versions = await client.ListVersionsAsync(new ListVersionsRequest { BucketName = bucket.Name, Prefix = "a/vault/verify/" }, Token);
        Assert.Empty(versions.Versions ?? []);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_bucket_without_it_says_so()
    {
        using var backend = (await Bucket.MakeAsync(gateway.Endpoint)).Open();
        var support = await backend.GetSupportAsync(Token);
        Assert.False(support.IsAvailable);
        Assert.Contains("Object Lock", support.Detail, StringComparison.Ordinal);
        await backend.PutIfAbsentAsync("a", new byte[1], Token);
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await backend.RetainUntilAsync("a", DateTimeOffset.UtcNow.AddMinutes(1), Token));
        Assert.Equal(StoreErrorKind.Unsupported, failure.Kind);
        Assert.Null(await backend.GetRetainedUntilAsync("a", Token));
        Assert.True(await backend.DeleteAsync("a", Token));
    }

    [Fact(Timeout = 600_000)]
    public async Task What_a_locked_vault_needs_cannot_be_deleted_by_whoever_holds_the_credentials()
    {
        var bucket = await Bucket.MakeAsync(gateway.Endpoint, hasObjectLock: true);
        bucket = bucket with { Options = bucket.Options with { IsSingleWriter = true } };
        using var backend = bucket.Open();
        var disk = new SparseDisk(5L << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        Snapshot snapshot;
        await using (var vault = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, TimeProvider.System, Token))
        {
            await vault.Governance.SetPolicyAsync(new() { Immutability = Immutability.Locked, MinimumRetentionDays = 1 }, Token);
            snapshot = await vault.BackUpAsync(disk);
            var report = await vault.ExtendRetentionAsync(new(), Token);
            Assert.Equal(RetentionState.Extended, report.State);
            Assert.True(report.BlobsExtended >= 6);
        }

        using var client = bucket.Client();
        var refused = 0;
        foreach (var version in (await client.ListVersionsAsync(new ListVersionsRequest { BucketName = bucket.Name }, Token)).Versions)
        {
            try
            {
                await client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = bucket.Name, Key = version.Key, VersionId = version.VersionId }, Token);
            }
            catch (AmazonS3Exception)
            {
                refused++;
            }
        }

        Assert.True(refused >= 6);
        await using var again = await VaultStore.OpenAsync(backend, TestVault.Key, TestVault.Small, TimeProvider.System, Token);
        await again.AssertRestoresAsync(again.Require(snapshot.Id).Images[0].Image, disk);
    }
}
