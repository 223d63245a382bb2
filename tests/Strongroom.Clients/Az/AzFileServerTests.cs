using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>File servers as az sees them: storage accounts with shares.</summary>
public sealed class AzFileServerTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task A_file_server_is_a_storage_account_with_shares(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        using var program = await AzProgram.OfAsync(edition, token);
        var shares = _folder.Combine("shares");
        foreach (var name in new[] { "finance", "Home" }) Directory.CreateDirectory(Path.Combine(shares, name));
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), shares, token);
        var az = await AzCli.SignInAsync(program, server, token);
        var lab = Lab.Of(server);
        await az.RunAsync("group create -n lab -l home", token);
        var fileServer = $"{lab.GroupPath}/providers/Strongroom.Fabric/fileServers/nas1";
        var made = await az.RestAsync("put", $"{fileServer}?api-version={Lab.FabricVersion}", new JsonObject
        {
            ["location"] = "home",
            ["properties"] = new JsonObject { ["kind"] = "Local", ["sharesRoot"] = shares },
        }, token);
        Assert.Equal((2, "Connected"), ((int)made!["properties"]!["shareCount"]!, (string?)made["properties"]!["state"]));

        Assert.Equal(["nas1"], (await az.ListAsync("storage account list -g lab", token)).Select(account => account.Text("name")));
        var shown = await az.RunAsync("storage account show -n nas1", token);
        Assert.Equal(("FileStorage", lab.StorageAccountId("nas1")), (shown!.Text("kind"), shown!.Text("id")));
        Assert.EndsWith("/files/nas1/", shown!["primaryEndpoints"]!.Text("file"), StringComparison.Ordinal);
        Assert.Equal(["finance", "Home"], (await az.ListAsync("storage share-rm list -g lab --storage-account nas1", token)).Select(share => share.Text("name")));
        var share = await az.RunAsync("storage share-rm show -g lab --storage-account nas1 -n finance", token);
        Assert.Equal(lab.StorageAccountId("nas1") + "/fileServices/default/shares/finance", share!.Text("id"));
        Assert.Equal("default", (await az.RunAsync("storage account file-service-properties show -g lab -n nas1", token))!.Text("name"));

        Assert.Contains("ShareNotFound", await az.FailAsync("storage share-rm show -g lab --storage-account nas1 -n nothing", token), StringComparison.Ordinal);
        Assert.Contains(fileServer, await az.FailAsync("storage account delete -g lab -n nas1 --yes", token), StringComparison.Ordinal);
        Assert.Contains(fileServer, await az.FailAsync("storage account create -g lab -n nas1 -l home", token), StringComparison.Ordinal);
        await az.RestAsync("delete", $"{fileServer}?api-version={Lab.FabricVersion}", null, token);
        Assert.Empty(await az.ListAsync("storage account list -g lab", token));
    }
}
