namespace Strongroom.Cli.Tests.Store;

public sealed class CopyTests
{
    [Fact]
    public async Task A_copy_is_made_without_a_key_restores_the_same_bytes_and_takes_only_what_is_new()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var a = lab.WriteDisk("a.raw", 2 << 20, seed: 1);
        var snapshot = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        lab.Environment["STRONGROOM_KEY_FILE"] = null;
        var first = await lab.DoAsync("copy", lab.Vault, lab["copy"]);
        Assert.True((long)first["bytesCopied"]! > 1 << 20);
        Assert.Empty(first["problems"]!.AsArray());
        lab.Environment.Remove("STRONGROOM_KEY_FILE");
        await lab.DoAsync("restore", lab["copy"], "--snapshot", snapshot, "--to", lab["back.raw"]);
        Assert.Equal(a, await File.ReadAllBytesAsync(lab["back.raw"], TestContext.Current.CancellationToken));

        var b = lab.WriteDisk("b.raw", 1 << 18, seed: 2);
        var next = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]))["snapshot"]!;
        var second = await lab.DoAsync("copy", lab.Vault, lab["copy"]);
        Assert.InRange((long)second["bytesCopied"]!, 1 << 16, 1 << 19);
        Assert.True((int)second["packsPresent"]! > 0);
        await lab.DoAsync("restore", lab["copy"], "--snapshot", next, "--to", lab["next.raw"]);
        Assert.Equal(b, await File.ReadAllBytesAsync(lab["next.raw"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task With_the_key_a_copy_loses_what_a_collection_removed()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 1 << 20, seed: 1);
        lab.WriteDisk("b.raw", 1 << 18, seed: 2);
        var snapshot = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]);
        await lab.DoAsync("copy", lab.Vault, lab["copy"]);
        await lab.DoAsync("delete", lab.Vault, snapshot);
        var collected = await lab.DoAsync("gc", lab.Vault);
        Assert.True((int)collected["packsDeleted"]! > 0);

        // Only the log, which is under the key, says what was removed on purpose.
        lab.Environment["STRONGROOM_KEY_FILE"] = null;
        Assert.Equal(0, (int)(await lab.DoAsync("copy", lab.Vault, lab["copy"]))["blobsRemoved"]!);
        lab.Environment.Remove("STRONGROOM_KEY_FILE");
        Assert.Equal((int)collected["packsDeleted"]!, (int)(await lab.DoAsync("copy", lab.Vault, lab["copy"]))["blobsRemoved"]!);
        Assert.Single((await lab.DoAsync("list", lab["copy"]))["snapshots"]!.AsArray());
        Assert.True((bool)(await lab.DoAsync("verify", lab["copy"], "--read-data"))["healthy"]!);
    }

    [Fact]
    public async Task A_copy_never_goes_to_the_vault_itself_or_another_vault_nor_from_nowhere()
    {
        using var lab = await StoreLab.WithVaultAsync();
        await lab.FailAsync(2, "copy", lab.Vault, lab.Vault + "/");
        await lab.FailAsync(2, "copy", lab.Vault, lab["copy"], "--parallelism", "0");
        Assert.Equal("NotFound", (await lab.FailAsync(1, "copy", lab["valt"], lab["copy"])).Code);
        Assert.False(Directory.Exists(lab["copy"]));
        await lab.DoAsync("init", lab["other"]);
        Assert.Equal("AlreadyExists", (await lab.FailAsync(1, "copy", lab.Vault, lab["other"])).Code);
    }

    [Fact]
    public async Task A_rotten_pack_is_healed_from_a_copy()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var a = lab.WriteDisk("a.raw", 2 << 20, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        await lab.DoAsync("copy", lab.Vault, lab["copy"]);
        var pack = lab.GreatestPack();
        StoreLab.Rot(pack);
        Assert.Equal(3, (await lab.RunAsync("scrub", lab.Vault)).ExitCode);
        await lab.FailAsync(2, "heal", lab.Vault, "--from", lab.Vault);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "heal", lab.Vault, "--from", lab["cpoy"])).Code);

        var healed = await lab.DoAsync("heal", lab.Vault, "--from", lab["copy"]);
        Assert.EndsWith(Path.GetFileName(pack), (string)Assert.Single(healed["mended"]!.AsArray())!, StringComparison.Ordinal);
        Assert.True((bool)(await lab.DoAsync("verify", lab.Vault, "--read-data"))["healthy"]!);
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(a, await File.ReadAllBytesAsync(lab["back.raw"], TestContext.Current.CancellationToken));
    }
}
