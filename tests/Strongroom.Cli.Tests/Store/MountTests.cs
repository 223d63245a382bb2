using System.Text.Json.Nodes;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Cli.Tests.Store;

public sealed class MountTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public async Task The_programs_of_others_see_the_disk_as_it_was()
    {
        var qemu = Programs.RequireOrSkip("qemu-img", "qemu-utils");
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", 20 * MiB, seed: 1);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var mount = await Mount.StartAsync(lab);
        Assert.Contains("identical", await Programs.RunAsync(qemu, "compare", mount.Uri, lab["a.raw"]), StringComparison.Ordinal);
        await Programs.RunAsync(qemu, "convert", "-O", "qcow2", mount.Uri, lab["a.qcow2"]);
        Assert.Contains("identical", await Programs.RunAsync(qemu, "compare", lab["a.qcow2"], lab["a.raw"]), StringComparison.Ordinal);
        var map = JsonNode.Parse(await Programs.RunAsync(qemu, "map", "--output=json", mount.Uri))!.AsArray();
        Assert.Contains(map, run => (bool)run!["zero"]!);
        Assert.Contains(map, run => (bool)run!["data"]!);
    }

    [Fact]
    public async Task Libnbd_sees_the_disk_as_it_was()
    {
        var info = Programs.RequireOrSkip("nbdinfo", "libnbd-bin");
        var copy = Programs.RequireOrSkip("nbdcopy", "libnbd-bin");
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 20 * MiB, seed: 2);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var mount = await Mount.StartAsync(lab);
        var json = JsonNode.Parse(await Programs.RunAsync(info, "--json", mount.Uri))!;
        var export = json["exports"]![0]!;
        Assert.Equal(content.Length, (long)export["export-size"]!);
        Assert.True((bool)export["is_read_only"]!);
        Assert.True((bool)json["structured"]!);

        // Four connections with 64 requests each, which is what nbdcopy does on its own.
        await Programs.RunAsync(copy, mount.Uri, lab["copy.raw"]);
        Assert.Equal(content, await File.ReadAllBytesAsync(lab["copy.raw"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Our_own_client_reads_it_and_sigterm_ends_it_cleanly()
    {
        using var lab = await StoreLab.WithVaultAsync();
        var content = lab.WriteDisk("a.raw", 5 * MiB, seed: 3);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using var mount = await Mount.StartAsync(lab);
        await using (var client = await NbdClient.ConnectAsync(NbdAddress.Unix(mount.Socket), new NbdClientOptions(), CancellationToken.None))
        {
            var random = new Random(4);
            await Parallel.ForEachAsync(Enumerable.Range(0, 100).Select(_ => random.Next(content.Length - 1)), async (offset, cancellationToken) =>
            {
                var buffer = new byte[Math.Min(70_000, content.Length - offset)];
                await client.ReadAsync(offset, buffer, cancellationToken);
                Assert.Equal(content.AsSpan(offset, buffer.Length).ToArray(), buffer);
            });
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(mount.Socket));
        var second = await lab.FailAsync(1, "mount", lab.Vault, "--snapshot", "latest", "--socket", mount.Socket);
        Assert.Contains("already", second.Message, StringComparison.Ordinal);
        Assert.Equal(0, await StoreLab.SignalAsync(mount.Process, "TERM"));
        Assert.False(File.Exists(mount.Socket));
    }

    [Fact]
    public async Task A_socket_of_a_killed_server_is_replaced_and_a_plain_file_is_not()
    {
        using var lab = await StoreLab.WithVaultAsync();
        lab.WriteDisk("a.raw", MiB, seed: 5);
        await lab.DoAsync("backup", lab.Vault, "--image", lab["a.raw"]);
        using (var first = await Mount.StartAsync(lab))
            await StoreLab.SignalAsync(first.Process, "KILL");
        Assert.True(File.Exists(lab["s"]));
        using (var second = await Mount.StartAsync(lab))
            Assert.Equal(0, await StoreLab.SignalAsync(second.Process, "INT"));

        await File.WriteAllTextAsync(lab["s"], "", TestContext.Current.CancellationToken);
        await lab.FailAsync(1, "mount", lab.Vault, "--snapshot", "latest", "--socket", lab["s"]);
        Assert.True(File.Exists(lab["s"]));
    }
}
