namespace Strongroom.Cli.Tests.Store;

/// <summary>Limits of the storage, and retention, on the command line.</summary>
public sealed class LimitTests
{
    [Fact(Timeout = 600_000)]
    public async Task A_rate_is_kept()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 2 << 20, seed: 1);
        var free = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        Assert.True((long)free["bytesStored"]! > 1 << 20);
        var begun = TimeProvider.System.GetTimestamp();
        await lab.DoAsync("verify", lab.Vault, "--read-data", "--limit-rate", "256K");
        Assert.True(TimeProvider.System.GetElapsedTime(begun) > TimeSpan.FromSeconds(2.5), "More than 1 MiB at 256 KiB a second, the first at once, takes three seconds.");
    }

    [Theory]
    [InlineData("--limit-rate", "0")]
    [InlineData("--limit-rate", "fast")]
    [InlineData("--limit-rate", "99999999999G")]
    [InlineData("--limit-requests", "-1")]
    [InlineData("--limit-requests", "1K")]
    public async Task A_limit_of_nothing_or_nonsense_is_a_mistake_of_the_command_line(string option, string value)
    {
        using var lab = new StoreLab();
        await lab.FailAsync(2, "list", lab.Vault, option, value);
    }

    [Fact]
    public async Task Retaining_says_when_nothing_is_retained()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        var report = await lab.DoAsync("retain", lab.Vault, "--limit-requests", "1000");
        Assert.Equal("PolicyNotLocked", (string)report["state"]!);
        Assert.False((bool)report["retained"]!);

        // Locked, but nothing is kept for any time: on no machine does the folder become undeletable.
        await lab.DoAsync("policy", lab.Vault, "--immutability", "locked");
        report = await lab.DoAsync("retain", lab.Vault);
        Assert.NotEqual("PolicyNotLocked", (string)report["state"]!);
        Assert.False((bool)report["retained"]!);
        Assert.NotEmpty((string)report["detail"]!);
    }
}
