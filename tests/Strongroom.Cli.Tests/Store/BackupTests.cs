using System.Security.Cryptography;

namespace Strongroom.Cli.Tests.Store;

public sealed class BackupTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task A_disk_comes_back_byte_for_byte_and_sparse()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", (9 * MiB) + 512, seed: 1);
        var backup = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        Assert.Equal(content.Length, (long)backup["bytesTotal"]!);
        Assert.Equal(lab["a.raw"], (string)backup["item"]!);
        Assert.Null(backup["parent"]);
        Assert.InRange((long)backup["bytesStored"]!, content.Length / 2, content.Length);

        var restore = await lab.DoAsync("restore", lab.Vault, "--snapshot", (string)backup["snapshot"]!, "--to", lab["back.raw"]);
        Assert.Equal(SHA256.HashData(content), SHA256.HashData(await File.ReadAllBytesAsync(lab["back.raw"])));
        Assert.InRange((long)restore["bytesWritten"]!, content.Length / 2, content.Length * 3 / 4);
        Assert.Equal(["a.raw", "back.raw", "key"], Directory.GetFiles(lab[""]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task With_changed_lines_nothing_else_is_read()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 8 * MiB, seed: 2);
        var first = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);

        // A change that is told, and one that is not: the second must not be seen.
        content.AsSpan(5 * MiB, 1000).Fill(0x11);
        var told = content.ToArray();
        content.AsSpan(7 * MiB, 1000).Fill(0x22);
        await File.WriteAllBytesAsync(lab["a.raw"], content);
        await File.WriteAllLinesAsync(lab["changed"], ["# what the bitmap says", "", $"{(5 * MiB) + 500} 500", $"{5 * MiB}\t 600"]);
        var second = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["changed"]);
        Assert.Equal((string)first["snapshot"]!, (string)second["parent"]!);
        Assert.Equal(1000, (long)second["bytesRead"]!);

        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(told, await File.ReadAllBytesAsync(lab["back.raw"]));
    }

    [Fact]
    public async Task The_newest_snapshot_of_the_same_item_is_the_parent()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 3);
        var a = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "web");
        var other = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "db");
        var next = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "web");
        var alone = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "web", "--parent", "none");
        var chosen = await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--item", "web", "--parent", ((string)other["snapshot"]!)[..9]);
        Assert.Null(other["parent"]);
        Assert.Equal((string)a["snapshot"]!, (string)next["parent"]!);
        Assert.Null(alone["parent"]);
        Assert.Equal((string)other["snapshot"]!, (string)chosen["parent"]!);
        Assert.Equal(0, (long)next["bytesChanged"]!);

        // Without a parent the index finds what is there already.
        Assert.Equal(0, (long)other["bytesNew"]!);
    }

    [Theory]
    [InlineData(6 * MiB)]
    [InlineData((2 * MiB) + 512)]
    public async Task A_disk_that_was_resized_is_backed_up_whole_though_only_little_is_said_to_have_changed(int lengthBytes)
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 4 * MiB, seed: 4);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        var resized = new byte[lengthBytes];
        content.AsSpan(0, Math.Min(content.Length, lengthBytes)).CopyTo(resized);
        resized[^1] = 7;
        resized[100] = 8;
        await File.WriteAllBytesAsync(lab["a.raw"], resized);

        // The last byte lies beyond the parent's end in one case, and in a slot that the parent has longer in the other.
        await File.WriteAllLinesAsync(lab["changed"], ["0 4096", $"{lengthBytes - 512} 4096"]);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["changed"]);
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(resized, await File.ReadAllBytesAsync(lab["back.raw"]));
    }

    [Theory]
    [InlineData("0 512|512", 2, "not 'offset length'")]
    [InlineData("# bitmap|0 512|x 512", 3, "not 'offset length'")]
    [InlineData("0 512 512", 1, "not 'offset length'")]
    [InlineData("-1 512", 1, "not 'offset length'")]
    [InlineData("0 99999999999999999999", 1, "not 'offset length'")]
    [InlineData("512 0", 1, "length is 0")]
    [InlineData("0 1||1048576 512", 3, "not inside the disk")]
    public async Task A_bad_line_of_changes_is_named(string lines, int number, string why)
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 5);
        await File.WriteAllLinesAsync(lab["changed"], lines.Split('|'));
        var (code, message) = await lab.FailAsync(2, "backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["changed"]);
        Assert.Equal("Usage", code);
        Assert.Contains($"line {number}: ", message, StringComparison.Ordinal);
        Assert.Contains(why, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_without_a_parent_are_refused()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 6);
        await File.WriteAllTextAsync(lab["changed"], "0 512\n");
        var (_, message) = await lab.FailAsync(2, "backup", lab.Vault, "--image", lab["a.raw"], "--changed", lab["changed"]);
        Assert.Contains("parent", message, StringComparison.Ordinal);
        Assert.Empty((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
    }

    [Fact]
    public async Task A_raw_disk_that_begins_like_a_qcow2_is_not_taken_for_one()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", MiB, seed: 7);
        "QFI\xfb"u8[..3].CopyTo(content);
        content[3] = 0xfb;
        await File.WriteAllBytesAsync(lab["a.raw"], content);
        var (_, message) = await lab.FailAsync(2, "backup", lab.Vault, "--image", lab["a.raw"]);
        Assert.Contains("--format", message, StringComparison.Ordinal);

        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"], "--format", "raw");
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(content, await File.ReadAllBytesAsync(lab["back.raw"]));
    }

    [Fact]
    public async Task A_qcow2_is_backed_up_as_its_guest_sees_it()
    {
        var qemu = Programs.RequireOrSkip("qemu-img", "qemu-utils");
        Programs.RequireOrSkip("qemu-nbd", "qemu-utils");
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 3 * MiB, seed: 8);
        await Programs.RunAsync(qemu, "convert", "-O", "qcow2", lab["a.raw"], lab["a.qcow2"]);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.qcow2"]);
        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["back.raw"]);
        Assert.Equal(content, await File.ReadAllBytesAsync(lab["back.raw"]));
    }

    [Fact]
    public async Task Ctrl_C_in_the_middle_commits_nothing_and_leaves_a_sound_vault()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 9);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        lab.WriteDisk("big.raw", 400 * MiB, seed: 10);
        using var process = lab.Start("backup", lab.Vault, "--image", lab["big.raw"]);
        var before = CountPacks(lab);
        while (!process.HasExited && CountPacks(lab) == before)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        Assert.Equal(130, await StoreLab.SignalAsync(process, "INT"));

        Assert.Single((await lab.DoAsync("list", lab.Vault))["snapshots"]!.AsArray());
        Assert.True((bool)(await lab.DoAsync("verify", lab.Vault, "--read-data"))["healthy"]!);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
    }

    private static int CountPacks(StoreLab lab) =>
        Directory.Exists(Path.Combine(lab.Vault, "packs")) ? Directory.EnumerateFiles(Path.Combine(lab.Vault, "packs"), "*", SearchOption.AllDirectories).Count() : 0;
}
