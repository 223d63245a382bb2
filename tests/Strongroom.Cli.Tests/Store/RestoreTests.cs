namespace Strongroom.Cli.Tests.Store;

public sealed class RestoreTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task An_existing_file_is_replaced_only_when_that_was_asked_for()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", MiB, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        await File.WriteAllTextAsync(lab["precious"], "precious");

        var (_, message) = await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", "latest", "--to", lab["precious"]);
        Assert.Contains("--overwrite", message, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(lab["precious"]));
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["precious"], "--overwrite");
        Assert.Equal(content, await File.ReadAllBytesAsync(lab["precious"]));
        await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", "latest", "--to", lab.Vault, "--overwrite");
    }

    [Fact]
    public async Task A_snapshot_is_found_by_the_beginning_of_its_id()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB / 4, seed: 2);
        var ids = new List<string>();

        // Seventeen ids have sixteen first digits: at least two begin alike.
        for (var i = 0; i < 17; i++)
            ids.Add((string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!);
        var shared = ids.GroupBy(id => id[0]).First(group => group.Count() > 1).Key.ToString();
        var (code, message) = await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", shared, "--to", lab["b.raw"]);
        Assert.Equal("Usage", code);
        Assert.Contains("Give more of it", message, StringComparison.Ordinal);

        var restored = await lab.DoAsync("restore", lab.Vault, "--snapshot", ids[3][..20].ToUpperInvariant(), "--to", lab["b.raw"]);
        Assert.Equal(ids[3], (string)restored["snapshot"]!);
        await lab.FailAsync(2, "restore", lab.Vault, "--snapshot", "zebra", "--to", lab["c.raw"]);
        Assert.Equal("NotFound", (await lab.FailAsync(1, "restore", lab.Vault, "--snapshot", Guid.NewGuid().ToString(), "--to", lab["c.raw"])).Code);
    }

    [Fact]
    public async Task A_part_of_a_disk_is_written_to_standard_output()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 3 * MiB, seed: 3);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var process = lab.Start("cat", lab.Vault, "--snapshot", "latest", "--offset", "1000001", "--length", "1500000");
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output, TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        Assert.Equal(content.AsSpan(1000001, 1500000).ToArray(), output.ToArray());

        var tooLong = await lab.RunAsync("cat", lab.Vault, "--snapshot", "latest", "--offset", "3000000", "--length", "1000000");
        Assert.Equal(2, tooLong.ExitCode);
        Assert.Empty(tooLong.Output);
    }

    [Fact]
    public async Task Damage_ends_with_three_is_named_and_leaves_no_file()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 2 * MiB, seed: 4);
        var snapshot = (string)(await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]))["snapshot"]!;
        FlipByte(Directory.EnumerateFiles(Path.Combine(lab.Vault, "packs"), "*", SearchOption.AllDirectories).First(), 100_000);

        var verify = await lab.RunAsync("verify", lab.Vault, "--read-data", "--output", "json");
        Assert.Equal(3, verify.ExitCode);
        Assert.False((bool)verify.Json["healthy"]!);
        Assert.Contains(verify.Json["problems"]!.AsArray(), problem => problem!["snapshots"]!.AsArray().Any(id => (string)id! == snapshot));
        Assert.Equal("Corrupt", (await lab.FailAsync(3, "restore", lab.Vault, "--snapshot", snapshot, "--to", lab["back.raw"])).Code);
        Assert.Equal(["a.raw", "key"], Directory.GetFiles(lab[""]).Select(Path.GetFileName).Order());
    }

    private static void FlipByte(string path, long offset)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var value = new byte[1];
        RandomAccess.Read(file, value, offset);
        value[0] ^= 1;
        RandomAccess.Write(file, value, offset);
    }
}
