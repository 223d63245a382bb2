namespace Strongroom.Cli.Tests.Store;

public sealed class GovernanceTests
{
    [Fact]
    public async Task A_deleted_snapshot_is_brought_back_while_the_policy_says_so()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 1 << 20, seed: 1);
        Assert.Equal(0, (int)(await lab.DoAsync("policy", lab.Vault))["softDeleteDays"]!);
        await lab.DoAsync("policy", lab.Vault, "--soft-delete-days", "14");
        var id = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.DoAsync("delete", lab.Vault, id);
        Assert.Empty((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
        Assert.Equal("NotFound", (await lab.FailAsync(1, "restore", lab.Vault, "--snapshot", id, "--to", lab["back"])).Code);
        var deleted = Assert.Single((await lab.DoAsync("list", lab.Vault, "--deleted"))["deleted"]!.AsArray())!;
        Assert.Equal(id, (string)deleted["snapshot"]!);

        // A collection takes nothing of it.
        Assert.Equal(0, (int)(await lab.DoAsync("gc", lab.Vault))["snapshotsPurged"]!);
        await lab.DoAsync("undelete", lab.Vault, id[..8]);
        await lab.DoAsync("restore", lab.Vault, "--snapshot", id, "--to", lab["back"]);
        Assert.Equal(content, await File.ReadAllBytesAsync(lab["back"], TestContext.Current.CancellationToken));

        await lab.DoAsync("delete", lab.Vault, id);
        Assert.Equal(id, (string)Assert.Single((await lab.DoAsync("purge", lab.Vault, id))["purged"]!.AsArray())!);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "undelete", lab.Vault, id)).Code);
    }

    [Fact]
    public async Task A_lock_keeps_a_snapshot_and_can_only_become_longer()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 2);
        var id = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.FailAsync(2, "lock", lab.Vault, id);
        await lab.FailAsync(2, "lock", lab.Vault, id, "--until", "tomorrow-ish");
        var locked = await lab.DoAsync("lock", lab.Vault, id, "--until", "2999-01-01T00:00:00Z");
        Assert.Equal("2999-01-01T00:00:00.000Z", (string)locked["lockedUntil"]!);
        Assert.Equal("Locked", (await lab.FailAsync(1, "delete", lab.Vault, id)).Code);
        Assert.Equal("Locked", (await lab.FailAsync(1, "lock", lab.Vault, id, "--until", "2998-01-01T00:00:00Z")).Code);
        Assert.Single((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
    }

    [Fact]
    public async Task A_locked_policy_is_not_weakened()
    {
        using var lab = await StoreLab.WithVaultAsync();
        await lab.DoAsync("policy", lab.Vault, "--immutability", "locked", "--minimum-retention-days", "30", "--soft-delete-days", "14");
        Assert.Equal("Refused", (await lab.FailAsync(1, "policy", lab.Vault, "--minimum-retention-days", "29")).Code);
        Assert.Equal(31, (int)(await lab.DoAsync("policy", lab.Vault, "--minimum-retention-days", "31"))["minimumRetentionDays"]!);
        Assert.Equal("Locked", (string)(await lab.DoAsync("policy", lab.Vault))["immutability"]!);
    }
}
