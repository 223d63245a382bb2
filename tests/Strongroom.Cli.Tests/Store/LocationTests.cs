using Strongroom.Cli.Store;
using Strongroom.Store.AzureBlob.Tests;
using Strongroom.Store.Blobs.Conformance;
using Strongroom.Store.S3.Tests;

namespace Strongroom.Cli.Tests.Store;

/// <summary>The verbs on vaults that lie elsewhere than in a folder.</summary>
[Collection(CloudServices.Name)]
public sealed class LocationTests(Azurite azurite, RadosGateway gateway, PlainServer plain)
{
    private const int MiB = 1 << 20;

    [Fact(Timeout = 300_000)]
    public async Task A_vault_in_a_container_is_worked_with_like_any_other()
    {
        using var lab = new StoreLab();
        await TellAsync(lab, await CloudServices.MakeContainerAsync(lab, azurite), "Azure.Storage.Blobs.dll");
    }

    [Fact(Timeout = 300_000)]
    public async Task A_vault_in_a_bucket_is_worked_with_like_any_other()
    {
        using var lab = new StoreLab();
        await TellAsync(lab, (await CloudServices.MakeBucketAsync(lab, gateway.Endpoint)).Location, "AWSSDK.S3.dll");
    }

    [Fact]
    public async Task A_vault_in_a_folder_loads_nothing_of_the_services()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var mount = await Mount.StartAsync(lab);
        var files = await mount.MappedFilesAsync();
        Assert.Contains("Strongroom.Store.Locations.dll", files);
        Assert.DoesNotContain(files, file => file.StartsWith("AWSSDK", StringComparison.Ordinal) || file.StartsWith("Azure.", StringComparison.Ordinal)
            || file is "Strongroom.Store.S3.dll" or "Strongroom.Store.AzureBlob.dll");
    }

    [Theory]
    [InlineData("gopher://somewhere/vault")]
    [InlineData("azblob://account")]
    [InlineData("s3://bucket/vault?secret=abc")]
    [InlineData("")]
    public async Task What_is_no_location_is_a_mistake_of_the_command_line(string location)
    {
        using var lab = new StoreLab();
        var (code, message) = await lab.FailAsync(2, "list", location);
        Assert.Equal("Usage", code);
        Assert.DoesNotContain("abc", message, StringComparison.Ordinal);
        await lab.FailAsync(2, "verify-backend", location);
    }

    [Fact]
    public async Task Missing_credentials_are_named()
    {
        using var lab = new StoreLab();
        lab.Environment["AZURE_STORAGE_CONNECTION_STRING"] = null;
        lab.Environment["AZURE_STORAGE_KEY"] = null;
        lab.Environment["AZURE_STORAGE_SAS_TOKEN"] = null;
        var (code, message) = await lab.FailAsync(1, "init", "azblob://account/container/vault");
        Assert.Equal("AccessDenied", code);
        Assert.Contains("AZURE_STORAGE_KEY", message, StringComparison.Ordinal);

        // No vault, so no key either.
        Assert.False(File.Exists(lab.KeyFile));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_folder_keeps_every_rule_and_nothing_is_left_in_it()
    {
        using var lab = new StoreLab();
        Assert.Equal("NotFound", (await lab.FailAsync(1, "verify-backend", lab["place"])).Code);
        Directory.CreateDirectory(lab["place"]);
        var report = await lab.DoAsync("verify-backend", lab["place"]);
        Assert.True((bool)report["conforming"]!);
        Assert.True(report["rules"]!.AsArray().Count > 10);
        Assert.All(report["rules"]!.AsArray(), rule => Assert.True((bool)rule!["passed"]!));
        Assert.Empty(Directory.GetFiles(lab["place"], "*", SearchOption.AllDirectories));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_server_that_does_not_hear_conditions_does_not_conform()
    {
        using var lab = new StoreLab();
        var (place, _) = await CloudServices.MakeBucketAsync(lab, plain.Endpoint, PlainServer.Credential, PlainServer.Credential);
        var run = await lab.RunAsync("verify-backend", place, "--output", "json");
        Assert.Equal(3, run.ExitCode);
        Assert.False((bool)run.Json["conforming"]!);
        Assert.Contains(run.Json["rules"]!.AsArray(), rule => rule!["violation"] is not null);
    }

    [Fact]
    public void A_broken_rule_is_damage_and_says_what_was_seen()
    {
        var report = new ConformanceReport([new("a", "A is so.", null, TimeSpan.FromSeconds(1)), new("b", "B is so.", "B was not so.", TimeSpan.FromSeconds(2))]);
        var result = VerifyBackendVerb.Result("somewhere", report, TimeSpan.FromSeconds(3));
        Assert.Equal(ExitCodes.Damage, result.ExitCode);
        Assert.Contains(result.Lines, line => line.Contains("B was not so.", StringComparison.Ordinal));
        Assert.Equal("B was not so.", (string)result.Json["rules"]![1]!["violation"]!);
        Assert.Null(result.Json["rules"]![0]!["violation"]);
    }

    private static async Task TellAsync(StoreLab lab, string vault, string assembly)
    {
        await lab.DoAsync("init", lab.Vault);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "list", vault)).Code);
        await lab.DoAsync("init", vault);
        await lab.FailAsync(1, "init", vault);
        var first = lab.WriteDisk("a.raw", 5 * MiB, seed: 1);
        var one = (string)(await lab.DoAsync("backup", vault, "--image", lab["a.raw"]))["snapshot"]!;
        var second = lab.WriteDisk("a.raw", 5 * MiB, seed: 2);
        var two = (string)(await lab.DoAsync("backup", vault, "--image", lab["a.raw"]))["snapshot"]!;
        Assert.Equal(2, (await lab.DoAsync("list", vault))["snapshots"]!.AsArray().Count);
        using (var mount = await Mount.StartOfAsync(lab, vault))
            Assert.Contains(assembly, await mount.MappedFilesAsync());

        await lab.DoAsync("restore", vault, "--snapshot", one, "--to", lab["one.raw"]);
        Assert.Equal(first, await File.ReadAllBytesAsync(lab["one.raw"], TestContext.Current.CancellationToken));
        await lab.DoAsync("delete", vault, one);
        Assert.True((int)(await lab.DoAsync("gc", vault))["packsDeleted"]! > 0);
        Assert.True((bool)(await lab.DoAsync("verify", vault, "--read-data"))["healthy"]!);
        await lab.DoAsync("restore", vault, "--snapshot", two, "--to", lab["two.raw"]);
        Assert.Equal(second, await File.ReadAllBytesAsync(lab["two.raw"], TestContext.Current.CancellationToken));
    }
}
