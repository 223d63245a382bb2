using Amazon.S3.Model;
using Azure.Storage.Blobs;
using Strongroom.Store.AzureBlob.Tests;
using Strongroom.Store.S3.Tests;

namespace Strongroom.Cli.Tests.Store;

/// <summary>Where in a container or bucket a vault or its copy may be made.</summary>
[Collection(CloudServices.Name)]
public sealed class CloudPlaceTests(Azurite azurite, RadosGateway gateway)
{
    /// <summary>No blob of a vault can have this name.</summary>
    private const string Stranger = "Photos/IMG_0001.JPG";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_prefix_of_a_container_with_other_blobs_becomes_no_vault()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var place = await CloudServices.MakeContainerAsync(lab, azurite);
        var container = new BlobContainerClient(azurite.ConnectionString, place.Split('/')[3]);
        await container.UploadBlobAsync($"a/vault/{Stranger}", BinaryData.FromString("mine"), Token);
        await RefusedAsync(lab, place);
        await lab.DoAsync("copy", lab.Vault, place + "/new");
    }

    [Fact(Timeout = 300_000)]
    public async Task A_prefix_of_a_bucket_with_other_objects_becomes_no_vault()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var (place, bucket) = await CloudServices.MakeBucketAsync(lab, gateway.Endpoint);
        using var client = CloudServices.Client(gateway.Endpoint);
        await client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = $"a/vault/{Stranger}", ContentBody = "mine" }, Token);
        await RefusedAsync(lab, place);

        // The object of the folder itself is as good as nothing.
        await client.DeleteObjectAsync(bucket, $"a/vault/{Stranger}", Token);
        await client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "a/vault/", ContentBody = "" }, Token);
        await lab.DoAsync("init", place);
    }

    private static async Task RefusedAsync(StoreLab lab, string place)
    {
        Assert.Contains(Stranger, (await lab.FailAsync(2, "init", place)).Message, StringComparison.Ordinal);
        Assert.Contains(Stranger, (await lab.FailAsync(2, "copy", lab.Vault, place)).Message, StringComparison.Ordinal);
    }
}
