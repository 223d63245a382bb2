using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Strongroom.Client;

namespace Strongroom.Demo.Tests;

public sealed class RestoredDisksTests
{
    private static readonly HttpClient Http = new();
    private static readonly byte[] Disk = RandomNumberGenerator.GetBytes(3 * 1024 * 1024 + 512);
    private static readonly byte[] Footer = [.. "conectix"u8, .. new byte[504]];
    private static readonly DiskFingerprint Expected = new(Disk.Length, Disk.Length, Convert.ToHexStringLower(SHA256.HashData(Disk)));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_bytes_before_a_footer_are_equal() =>
        Assert.Null(await CompareAsync([.. Disk, .. Footer]));

    [Fact]
    public async Task A_disk_that_grew_by_zeros_is_equal() =>
        Assert.Null(await CompareAsync([.. Disk, .. new byte[1024 * 1024 - 512], .. Footer]));

    [Fact]
    public async Task A_disk_that_grew_by_anything_else_differs()
    {
        var tail = new byte[1024 * 1024 - 512];
        tail[^1] = 1;
        Assert.Contains("other than zero", await CompareAsync([.. Disk, .. tail, .. Footer]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_500_000)]
    [InlineData(3 * 1024 * 1024 + 511)]
    public async Task One_different_bit_anywhere_differs(int at)
    {
        byte[] file = [.. Disk, .. Footer];
        file[at] ^= 0x10;
        Assert.Contains("SHA-256 is", await CompareAsync(file), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_is_too_short_differs() =>
        Assert.Contains("too short", await CompareAsync([.. Disk[..^512], .. Footer]), StringComparison.Ordinal);

    [Fact]
    public async Task A_file_without_a_footer_is_not_a_restored_disk() =>
        Assert.Contains("footer", await CompareAsync([.. Disk, .. new byte[512]]), StringComparison.Ordinal);

    [Fact]
    public async Task A_download_that_breaks_off_differs()
    {
        byte[] file = [.. Disk, .. Footer];
        var difference = await CompareAsync(async context =>
        {
            context.Response.ContentLength = file.Length;
            await context.Response.Body.WriteAsync(file.AsMemory(0, file.Length / 2), Token);
            await context.Response.Body.FlushAsync(Token);
            context.Abort();
        });
        Assert.Contains("broke off", difference, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_is_not_there_is_told_as_the_server_says_it()
    {
        var refused = await Assert.ThrowsAsync<ArmRequestException>(() => CompareAsync(context =>
            ScriptedApi.JsonAsync(context, 404, "{'error':{'code':'BlobNotFound','message':'It is not here.'}}")));
        Assert.Equal("BlobNotFound", refused.Code);
    }

    [Theory]
    [InlineData("{'properties.storageProfile':{'osDisk':{'vhd':{'uri':'os'}},'dataDisks':[{'lun':1,'vhd':{'uri':'b'}},{'lun':0,'vhd':{'uri':'a'}}]}}")]
    [InlineData("{'properties.StorageProfile':{'osDisk':{'vhd':{'Uri':'os'}},'dataDisks':[{'lun':0,'vhd':{'uri':'a'}},{'lun':7,'vhd':{'uri':'b'}}]}}")]
    [InlineData("{'properties':{'storageProfile':{'osDisk':{'vhd':{'uri':'os'}},'dataDisks':[{'lun':0,'vhd':{'uri':'a'}},{'lun':7,'vhd':{'uri':'b'}}]}}}")]
    public async Task The_disks_are_listed_in_the_order_of_their_LUNs(string config)
    {
        await using var api = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(context, 200, config));
        Assert.Equal(["os", "a", "b"], await Reader(api).ListAsync(Job($"{api.Endpoint}config.json"), Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("nonsense")]
    [InlineData("{'properties.storageProfile':{'osDisk':{}}}")]
    [InlineData("{'properties.storageProfile':[]}")]
    public async Task A_configuration_that_lists_no_disks_is_refused(string config)
    {
        await using var api = await ScriptedApi.StartAsync(context => ScriptedApi.JsonAsync(context, 200, config));
        // What is no JSON object the client finds out; what is missing in one, either.
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => Reader(api).ListAsync(Job($"{api.Endpoint}config.json"), Token));
        Assert.True(refused is DemoException or ClientException, refused.ToString());
        await Assert.ThrowsAsync<DemoException>(() => Reader(api).ListAsync(Job(null), Token));
    }

    private static Task<string?> CompareAsync(byte[] file) => CompareAsync(context =>
    {
        context.Response.ContentLength = file.Length;
        return context.Response.Body.WriteAsync(file, Token).AsTask();
    });

    private static async Task<string?> CompareAsync(RequestDelegate answer)
    {
        await using var api = await ScriptedApi.StartAsync(answer);
        return await Reader(api).CompareAsync($"{api.Endpoint}disk.vhd", Expected, _ => { }, Token);
    }

    private static RestoredDisks Reader(ScriptedApi api) =>
        new(new ArmClient(Http, api.Endpoint, _ => ValueTask.FromResult("t"), TimeProvider.System), TimeProvider.System);

    private static JobOutcome Job(string? configUri) => new(new JsonObject
    {
        ["name"] = "j",
        ["properties"] = new JsonObject
        {
            ["extendedInfo"] = new JsonObject { ["propertyBag"] = new JsonObject { ["Config Blob Uri"] = configUri } },
        },
    });
}
