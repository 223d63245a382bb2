using Azure.Storage.Blobs;
using Strongroom.Store.Blobs.Conformance;
using Strongroom.Store.Tests.Blobs;

[assembly: AssemblyFixture(typeof(Strongroom.Store.AzureBlob.Tests.Azurite))]

namespace Strongroom.Store.AzureBlob.Tests;

public sealed class AzureBlobBackendTests(Azurite azurite)
{
    [Fact(Timeout = 600_000)]
    public async Task The_service_keeps_every_rule()
    {
        var options = new ConformanceOptions { ListedBlobs = 500, LargeBlobBytes = 20 << 20 };
        var report = await BackendConformance.RunAsync(
            new AzureBlobBackend(await ContainerAsync(), new() { Prefix = "a/vault/", PageBlobs = 120 }), options, TimeProvider.System, null, TestContext.Current.CancellationToken);
        Assert.True(report.IsConforming, string.Join('\n', report.Results.Select(result => $"{result.Rule} {result.Duration.TotalSeconds:f2} s {result.Violation}")));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_whole_vault_lives_there()
    {
        var container = await ContainerAsync();
        await VaultStory.TellAsync(() => new AzureBlobBackend(container, new() { Prefix = "vault/", BlockLengthBytes = 300_000 }));
    }

    private async Task<BlobContainerClient> ContainerAsync()
    {
        var container = new BlobContainerClient(azurite.ConnectionString, "c" + Guid.NewGuid().ToString("N"));
        await container.CreateAsync();
        return container;
    }
}
