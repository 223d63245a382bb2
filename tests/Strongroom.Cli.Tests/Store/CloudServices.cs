using Amazon.Runtime;
using Amazon.S3;
using Azure.Storage.Blobs;
using Strongroom.Store.AzureBlob.Tests;
using Strongroom.Store.S3;
using Strongroom.Store.S3.Tests;

namespace Strongroom.Cli.Tests.Store;

/// <summary>The servers of object storage, started once for all tests of the collection.</summary>
[CollectionDefinition(Name)]
public sealed class CloudServices : ICollectionFixture<Azurite>, ICollectionFixture<RadosGateway>, ICollectionFixture<PlainServer>
{
    public const string Name = "cloud services";

    /// <summary>A new container's place for a vault; the lab gets what reaches it.</summary>
    public static async Task<string> MakeContainerAsync(StoreLab lab, Azurite azurite)
    {
        var container = new BlobContainerClient(azurite.ConnectionString, "c" + Guid.NewGuid().ToString("N"));
        await container.CreateAsync(cancellationToken: TestContext.Current.CancellationToken);
        lab.Environment["AZURE_STORAGE_CONNECTION_STRING"] = azurite.ConnectionString;
        return $"azblob://{Azurite.Account}/{container.Name}/a/vault";
    }

    /// <summary>A new bucket's place for a vault; the lab gets what reaches it.</summary>
    public static async Task<(string Location, string Bucket)> MakeBucketAsync(
        StoreLab lab, Uri endpoint, string accessKey = RadosGateway.AccessKey, string secretKey = RadosGateway.SecretKey)
    {
        using var client = Client(endpoint, accessKey, secretKey);
        var bucket = "b" + Guid.NewGuid().ToString("N");
        await client.PutBucketAsync(bucket);
        lab.Environment["AWS_ACCESS_KEY_ID"] = accessKey;
        lab.Environment["AWS_SECRET_ACCESS_KEY"] = secretKey;
        return ($"s3://{bucket}/a/vault?endpoint={endpoint}", bucket);
    }

    public static IAmazonS3 Client(Uri endpoint, string accessKey = RadosGateway.AccessKey, string secretKey = RadosGateway.SecretKey) =>
        S3Connection.MakeClient(new BasicAWSCredentials(accessKey, secretKey), region: null, endpoint);
}
