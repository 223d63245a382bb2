using Amazon.S3.Model;
using Strongroom.Store.AzureBlob.Tests;
using Strongroom.Store.S3.Tests;

namespace Strongroom.Cli.Tests.Store;

/// <summary>Copies from place to place, and damage on a service that is healed from a copy elsewhere.</summary>
[Collection(CloudServices.Name)]
public sealed class CloudCopyTests(Azurite azurite, RadosGateway gateway)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_vault_goes_from_a_folder_to_a_container_and_on_to_a_bucket()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var container = await CloudServices.MakeContainerAsync(lab, azurite);
        var (bucket, _) = await CloudServices.MakeBucketAsync(lab, gateway.Endpoint);
        var first = lab.WriteDisk("a.raw", 3 << 20, seed: 1);
        var one = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.DoAsync("copy", lab.Vault, container);
        var whole = await lab.DoAsync("copy", container, bucket);
        Assert.True((long)whole["bytesCopied"]! > 1 << 20);

        // Only what is new goes the same way again, and what a collection removed goes there, too.
        var second = lab.WriteDisk("b.raw", 1 << 18, seed: 2);
        var two = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]))["snapshot"]!;
        await lab.DoAsync("restore", bucket, "--snapshot", one, "--to", lab["one.raw"]);
        Assert.Equal(first, await File.ReadAllBytesAsync(lab["one.raw"], Token));
        await lab.DoAsync("delete", lab.Vault, one);
        await lab.DoAsync("gc", lab.Vault);
        Assert.True((int)(await lab.DoAsync("copy", lab.Vault, container))["blobsRemoved"]! > 0);
        var again = await lab.DoAsync("copy", container, bucket);
        Assert.InRange((long)again["bytesCopied"]!, 1 << 16, 1 << 20);
        Assert.True((int)again["blobsRemoved"]! > 0);
        Assert.Equal(0, (int)(await lab.DoAsync("copy", container, bucket))["blobsCopied"]!);
        Assert.True((bool)(await lab.DoAsync("verify", bucket, "--read-data"))["healthy"]!);
        await lab.DoAsync("restore", bucket, "--snapshot", two, "--to", lab["two.raw"]);
        Assert.Equal(second, await File.ReadAllBytesAsync(lab["two.raw"], Token));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_rotten_and_a_lost_pack_in_a_bucket_are_healed_from_a_folder()
    {
        using var lab = new StoreLab();
        var (vault, bucket) = await CloudServices.MakeBucketAsync(lab, gateway.Endpoint);
        await lab.DoAsync("init", vault);
        var content = new[] { lab.WriteDisk("a.raw", 2 << 20, seed: 1), lab.WriteDisk("b.raw", 1 << 20, seed: 2) };
        var one = (string)(await lab.DoAsync("backup", vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.DoAsync("copy", vault, lab["copy"]);
        using (var client = CloudServices.Client(gateway.Endpoint))
        {
            var packs = (await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket, Prefix = "a/vault/packs/" }, Token)).S3Objects;
            Assert.True(packs.Count >= 2);
            await RotAsync(client, bucket, packs[0].Key);
            await client.DeleteObjectAsync(bucket, packs[1].Key, Token);
        }

        Assert.Equal(3, (await lab.RunAsync("scrub", vault)).ExitCode);
        Assert.Equal(3, (await lab.RunAsync("restore", vault, "--snapshot", one, "--to", lab["bad.raw"])).ExitCode);

        // A backup meanwhile is sound by itself.
        await lab.DoAsync("backup", vault, "--image", lab["b.raw"]);
        var healed = await lab.DoAsync("heal", vault, "--from", lab["copy"]);
        Assert.Equal(2, healed["mended"]!.AsArray().Count);
        Assert.True((bool)(await lab.DoAsync("verify", vault, "--read-data"))["healthy"]!);
        await lab.DoAsync("restore", vault, "--snapshot", one, "--to", lab["one.raw"]);
        Assert.Equal(content[0], await File.ReadAllBytesAsync(lab["one.raw"], Token));
        await lab.DoAsync("restore", vault, "--snapshot", "latest", "--to", lab["two.raw"]);
        Assert.Equal(content[1], await File.ReadAllBytesAsync(lab["two.raw"], Token));
    }

    private static async Task RotAsync(Amazon.S3.IAmazonS3 client, string bucket, string key)
    {
        using var content = new MemoryStream();
        using (var answer = await client.GetObjectAsync(bucket, key, Token))
            await answer.ResponseStream.CopyToAsync(content, Token);
        content.GetBuffer()[content.Length / 2] ^= 1;
        content.Position = 0;
        await client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, InputStream = content, UseChunkEncoding = false }, Token);
    }
}
