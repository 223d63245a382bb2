using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Strongroom.Store.S3.Tests;

/// <summary>A bucket of a test, and the vault's place in it.</summary>
internal sealed record Bucket(Uri Endpoint, string Name, string AccessKey, string SecretKey)
{
    public S3Options Options { get; init; } = new() { Bucket = Name, Prefix = "a/vault/" };

    /// <summary>True: the server is spoken to as if it did not hear conditions, as many do not.</summary>
    public bool IsDeafToConditions { get; init; }

    public static async Task<Bucket> MakeAsync(Uri endpoint, string accessKey = RadosGateway.AccessKey, string secretKey = RadosGateway.SecretKey, bool hasObjectLock = false)
    {
        var bucket = new Bucket(endpoint, "b" + Guid.NewGuid().ToString("N"), accessKey, secretKey);
        using var client = bucket.Client();
        await client.PutBucketAsync(new PutBucketRequest { BucketName = bucket.Name, ObjectLockEnabledForBucket = hasObjectLock });
        return bucket;
    }

    public S3Backend Open() => new(Client(), Options with { Bucket = Name }, TimeProvider.System);

    public IAmazonS3 Client()
    {
        var credentials = new BasicAWSCredentials(AccessKey, SecretKey);
        var client = S3Connection.MakeClient(credentials, region: null, Endpoint);
        return IsDeafToConditions ? new DeafClient(credentials, (AmazonS3Config)client.Config) : client;
    }

    public async Task<List<string>> KeysAsync()
    {
        using var client = Client();
        var answer = await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Name });
        return [.. (answer.S3Objects ?? []).Select(found => found.Key)];
    }

    public async Task OverwriteAsync(string key, string content)
    {
        using var client = Client();
        await client.PutObjectAsync(new PutObjectRequest { BucketName = Name, Key = key, ContentBody = content, UseChunkEncoding = false });
    }
}

/// <summary>Leaves conditions out of what it sends.</summary>
internal sealed class DeafClient(AWSCredentials credentials, AmazonS3Config config) : AmazonS3Client(credentials, config)
{
    public override Task<PutObjectResponse> PutObjectAsync(PutObjectRequest request, CancellationToken cancellationToken = default)
    {
        request.IfNoneMatch = null;
        return base.PutObjectAsync(request, cancellationToken);
    }
}
