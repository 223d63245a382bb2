namespace Strongroom.Cli.Tests.Store;

/// <summary>What people read.</summary>
public sealed class TextTests
{
    [Fact]
    public async Task An_items_name_gives_the_terminal_no_orders()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        const string Item = "web\u001b[2J";
        for (var i = 0; i < 2; i++)
            Assert.Contains("of web?[2J", (await lab.RunAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", Item)).Output, StringComparison.Ordinal);
        await lab.DoAsync("policy", lab.Vault, "--soft-delete-days", "1");
        Assert.Contains("  web?[2J", await TextAsync("list", lab.Vault), StringComparison.Ordinal);
        Assert.Contains("  web?[2J", await TextAsync("prune", lab.Vault, "--keep-last", "1"), StringComparison.Ordinal);
        Assert.Contains("  web?[2J", await TextAsync("list", lab.Vault, "--deleted"), StringComparison.Ordinal);
        var deleted = await TextAsync("delete", lab.Vault, (string)(await lab.DoAsync("list", lab.Vault))["snapshots"]![0]!["snapshot"]!);
        Assert.Contains("of web?[2J.", deleted, StringComparison.Ordinal);
        Assert.Contains("for 1 day.", deleted, StringComparison.Ordinal);

        async Task<string> TextAsync(params string[] arguments)
        {
            var output = (await lab.RunAsync(arguments)).Output;
            Assert.DoesNotContain('\u001b', output);
            return output;
        }
    }

    [Fact]
    public async Task Zeros_are_counted_only_where_all_was_looked_at()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 20, seed: 1);
        await File.WriteAllTextAsync(lab["changed"], "0 4096", TestContext.Current.CancellationToken);
        Assert.Contains("of it zeros", (await lab.RunAsync("backup", lab.Vault, "--image", lab["a.raw"])).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("zeros", (await lab.RunAsync("backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["changed"])).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("zeros", (await lab.RunAsync("stream"u8.ToArray(), "backup", lab.Vault, "--stdin")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_thing_is_not_many()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        var id = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        Assert.StartsWith("Checked 1 snapshot and 2 packs,", (await lab.RunAsync("verify", lab.Vault)).Output, StringComparison.Ordinal);
        Assert.Contains("an image", (await lab.FailAsync(2, "ls", lab.Vault, "--snapshot", id)).Message, StringComparison.Ordinal);
        Assert.Contains("Would keep 1 snapshot, would delete 0.", (await lab.RunAsync("prune", lab.Vault, "--keep-last", "1", "--dry-run")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_is_shown_with_where_it_leads()
    {
        using var lab = await StoreLab.WithVaultAsync();
        Directory.CreateDirectory(lab["home"]);
        File.CreateSymbolicLink(lab["home/link"], "else\u0007where");
        await lab.DoAsync("backup", lab.Vault, "--tree", lab["home"]);
        Assert.Contains("link -> else?where\n", (await lab.RunAsync("ls", lab.Vault, "--snapshot", "latest")).Output, StringComparison.Ordinal);
        Assert.Equal("else\u0007where", (string)(await lab.DoAsync("ls", lab.Vault, "--snapshot", "latest"))["entries"]![0]!["linkTarget"]!);
    }
}
