namespace Strongroom.Cli.Tests.Store;

/// <summary>Damage that the vault knows of is told by every verb that is asked, not by the one alone that found it.</summary>
public sealed class KnownDamageTests
{
    [Fact]
    public async Task What_a_scrub_found_is_told_by_verify_without_reading_the_data_and_by_stats()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 3 << 20, seed: 1);
        lab.WriteDisk("b.raw", 1 << 20, seed: 2);
        var a = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]);
        await lab.DoAsync("copy", lab.Vault, lab["copy"]);
        var sound = await lab.RunAsync("verify", lab.Vault);
        Assert.Equal(0, sound.ExitCode);
        Assert.Contains("The data was not read", sound.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("DAMAGE", (await lab.RunAsync("stats", lab.Vault)).Output, StringComparison.Ordinal);

        var pack = lab.GreatestPack();
        StoreLab.Rot(pack);
        Assert.Equal(3, (await lab.RunAsync("scrub", lab.Vault)).ExitCode);
        var run = await lab.RunAsync("verify", lab.Vault, "--output", "json");
        Assert.Equal(3, run.ExitCode);
        var problem = Assert.Single(run.Json["problems"]!.AsArray())!;
        Assert.Contains(Path.GetFileName(pack), (string)problem["what"]!, StringComparison.Ordinal);
        Assert.Equal([a], problem["snapshots"]!.AsArray().Select(id => (string)id!));
        Assert.Equal(3, (await lab.RunAsync("verify", lab.Vault, "--read-data")).ExitCode);
        Assert.Equal(1, (int)(await lab.DoAsync("stats", lab.Vault))["packsQuarantined"]!);
        Assert.Contains("1 pack in quarantine", (await lab.RunAsync("stats", lab.Vault)).Output, StringComparison.Ordinal);
        Assert.Contains("verify VAULT --read-data", (await lab.FailAsync(3, "restore", lab.Vault, "--snapshot", a, "--to", lab["out"])).Message, StringComparison.Ordinal);

        await lab.DoAsync("heal", lab.Vault, "--from", lab["copy"]);
        Assert.True((bool)(await lab.DoAsync("verify", lab.Vault))["healthy"]!);
        Assert.Equal(0, (int)(await lab.DoAsync("stats", lab.Vault))["packsQuarantined"]!);
    }

    [Fact]
    public async Task A_pack_that_neither_place_has_whole_is_one_problem_and_names_its_snapshots()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 3 << 20, seed: 1);
        var a = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.DoAsync("copy", lab.Vault, lab["copy"]);
        var pack = lab.GreatestPack();
        StoreLab.Rot(pack);
        StoreLab.Rot(pack.Replace(lab.Vault, lab["copy"], StringComparison.Ordinal));
        await lab.RunAsync("scrub", lab.Vault);
        var healed = await lab.RunAsync("heal", lab.Vault, "--from", lab["copy"], "--output", "json");
        Assert.Equal(3, healed.ExitCode);
        var problem = Assert.Single(healed.Json["problems"]!.AsArray())!;
        Assert.Contains("in the replica as well", (string)problem["what"]!, StringComparison.Ordinal);
        Assert.Equal([a], problem["snapshots"]!.AsArray().Select(id => (string)id!));
    }
}
