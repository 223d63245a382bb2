namespace Strongroom.Cli.Tests.Store;

public sealed class ScrubTests
{
    [Fact]
    public async Task A_scrub_goes_on_where_the_last_one_stopped_and_names_what_is_damaged()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 3 << 20, seed: 1);
        lab.WriteDisk("b.raw", 2 << 20, seed: 2);
        var a = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        var b = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]))["snapshot"]!;
        var first = await lab.DoAsync("scrub", lab.Vault, "--max-mib", "1");
        var packs = (int)first["packs"]!;
        Assert.InRange((int)first["packsRead"]!, 1, packs - 1);
        var second = await lab.DoAsync("scrub", lab.Vault, "--older-than-days", "1");
        Assert.Equal(packs, (int)second["packsVerified"]!);
        Assert.Equal(packs - (int)first["packsRead"]!, (int)second["packsRead"]!);

        StoreLab.Rot(lab.GreatestPack());
        var run = await lab.RunAsync("scrub", lab.Vault, "--deep", "--output", "json");
        Assert.Equal(3, run.ExitCode);
        Assert.Single(run.Json["damaged"]!.AsArray());
        Assert.Equal([a], run.Json["damagedSnapshots"]!.AsArray().Select(id => (string)id!));
        Assert.NotEqual(a, b);
    }

    [Fact(Timeout = 600_000)]
    public async Task Verify_with_a_budget_is_a_scrub_that_keeps_to_it()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 20, seed: 1);
        lab.WriteDisk("b.raw", 1 << 20, seed: 2);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]);
        var report = await lab.DoAsync("verify", lab.Vault, "--budget", "512K");
        Assert.True((bool)report["healthy"]!);
        Assert.Equal((int)report["packs"]!, (int)report["packsRead"]!);
        Assert.True((double)report["seconds"]! > 1, "More than 1 MiB at 512 KiB a second takes seconds.");
        await lab.FailAsync(2, "verify", lab.Vault, "--budget", "0");
        await lab.FailAsync(2, "scrub", lab.Vault, "--budget", "fast");
    }

    [Fact]
    public async Task A_pack_that_is_missing_is_damage_for_whoever_restores()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        File.Delete(Assert.Single(Directory.GetFiles(Path.Combine(lab.Vault, "packs"), "*", SearchOption.AllDirectories)));
        var restore = await lab.RunAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(3, restore.ExitCode);
        Assert.False(File.Exists(lab["back.raw"]));
        var verify = await lab.RunAsync("verify", lab.Vault);
        Assert.Equal(3, verify.ExitCode);
        Assert.DoesNotContain("verification of the vault", verify.Output, StringComparison.OrdinalIgnoreCase);

        // A snapshot that never was is the caller's mistake.
        Assert.NotEqual(3, (await lab.RunAsync("restore", lab.Vault, "--snapshot", "ffffffff", "--to", lab["back.raw"])).ExitCode);
    }

    [Fact]
    public async Task A_loss_is_given_up_only_when_the_vaults_id_confirms_it()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 18, seed: 1);
        for (var i = 0; i < 3; i++)
            await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        var id = (string)(await lab.DoAsync("stats", lab.Vault))["vaultId"]!;
        Assert.Empty((await lab.DoAsync("accept-loss", lab.Vault))["losses"]!.AsArray());

        var log = Directory.GetFiles(Path.Combine(lab.Vault, "log")).Order(StringComparer.Ordinal).ToList();
        StoreLab.Rot(log[^2]);
        var asked = await lab.RunAsync("accept-loss", lab.Vault, "--output", "json");
        Assert.Equal(3, asked.ExitCode);
        Assert.False((bool)asked.Json["accepted"]!);

        // A scrub, too, tells what is wrong with the log.
        var scrub = await lab.RunAsync("scrub", lab.Vault, "--output", "json");
        Assert.Equal(3, scrub.ExitCode);
        Assert.Single(scrub.Json["logDamage"]!.AsArray());
        var told = await lab.RunAsync("scrub", lab.Vault);
        Assert.Matches("DAMAGE: log entry [0-9]+ is damaged or missing", told.Output);
        Assert.Single(asked.Json["losses"]!.AsArray());
        Assert.Contains($"--confirm {id}", (await lab.RunAsync("accept-loss", lab.Vault)).Output, StringComparison.Ordinal);
        await lab.FailAsync(2, "accept-loss", lab.Vault, "--confirm", Guid.NewGuid().ToString());
        Assert.NotEqual(0, (await lab.RunAsync("gc", lab.Vault)).ExitCode);

        Assert.True((bool)(await lab.DoAsync("accept-loss", lab.Vault, "--confirm", id))["accepted"]!);
        await lab.DoAsync("gc", lab.Vault);
    }
}
