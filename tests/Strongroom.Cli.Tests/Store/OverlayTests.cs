using System.Security.Cryptography;

namespace Strongroom.Cli.Tests.Store;

public sealed class OverlayTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task What_was_flushed_is_there_after_a_kill_and_the_vault_is_as_before()
    {
        var io = Programs.RequireOrSkip("qemu-io", "qemu-utils");
        var copy = Programs.RequireOrSkip("nbdcopy", "libnbd-bin");
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 9 * MiB, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using (var mount = await Mount.StartAsync(lab, "--overlay", lab["changes"]))
        {
            // Whole blocks, parts of blocks, a hole of the base, zeros over data; trimming is a hint that is not taken.
            await Programs.RunAsync(
                io, "-f", "raw", mount.Uri, "-c", "write -P 0x11 0 65536", "-c", "write -P 0x22 1000448 512", "-c", "write -P 0x33 5242880 10240",
                "-c", "write -z 2621440 131072", "-c", "discard 3145728 65536", "-c", "flush");
            await StoreLab.SignalAsync(mount.Process, "KILL");
        }

        content.AsSpan(0, 65536).Fill(0x11);
        content.AsSpan(1000448, 512).Fill(0x22);
        content.AsSpan(5242880, 10240).Fill(0x33);
        content.AsSpan(2621440, 131072).Clear();
        using (var mount = await Mount.StartAsync(lab, "--overlay", lab["changes"]))
        {
            await Programs.RunAsync(copy, mount.Uri, lab["back.raw"]);
            Assert.Equal(content, await File.ReadAllBytesAsync(lab["back.raw"], TestContext.Current.CancellationToken));
            await lab.FailAsync(1, "mount", lab.Vault, "--snapshot", "latest", "--overlay", lab["changes"]);
            Assert.Equal(0, await StoreLab.SignalAsync(mount.Process, "TERM"));
        }

        await lab.DoAsync("restore", lab.Vault, "--snapshot", "latest", "--to", lab["vaults.raw"]);
        Assert.Equal(await HashAsync(lab["a.raw"]), await HashAsync(lab["vaults.raw"]));
    }

    [Fact]
    public async Task A_whole_disk_is_written_over_many_connections_and_an_orderly_end_keeps_it()
    {
        var copy = Programs.RequireOrSkip("nbdcopy", "libnbd-bin");
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 9 * MiB, seed: 2);
        var other = lab.WriteDisk("b.raw", 9 * MiB, seed: 3);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using (var mount = await Mount.StartAsync(lab, "--overlay", lab["changes"]))
        {
            // Without --flush: the end of the command does it.
            await Programs.RunAsync(copy, lab["b.raw"], mount.Uri);
            Assert.Equal(0, await StoreLab.SignalAsync(mount.Process, "INT"));
        }

        using (var mount = await Mount.StartAsync(lab, "--overlay", lab["changes"]))
        {
            await Programs.RunAsync(copy, mount.Uri, lab["back.raw"]);
            Assert.Equal(other, await File.ReadAllBytesAsync(lab["back.raw"], TestContext.Current.CancellationToken));
        }

        // Changes to one disk are not shown over another.
        await lab.DoAsync("backup", lab.Vault, "--image", lab["b.raw"]);
        var (_, message) = await lab.FailAsync(1, "mount", lab.Vault, "--snapshot", "latest", "--overlay", lab["changes"]);
        Assert.Contains("another disk", message, StringComparison.Ordinal);
    }

    private static async Task<string> HashAsync(string path)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexString(await SHA256.HashDataAsync(file));
    }
}
