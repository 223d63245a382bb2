using System.Buffers.Binary;
using System.Net;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>A disk whose partition table the appliance's tools refuse.</summary>
public sealed class OddDiskTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task A_partition_table_that_is_refused_hides_no_other_disk()
    {
        var token = TestContext.Current.CancellationToken;
        Peer.RequireOrSkip("supermin", "libguestfs0");
        var host = _folder.Combine("host");
        var machine = Directory.CreateDirectory(Path.Combine(host, "web1")).FullName;
        var files = Directory.CreateDirectory(_folder.Combine("files")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "hello.txt"), "hello\n", token);
        (await CommandResult.RunAsync(Peer.RequireOrSkip("mke2fs", "e2fsprogs"), ["-q", "-t", "ext4", "-d", files, Path.Combine(machine, "a-os.raw"), "16M"], null, token)).Succeeded();
        await File.WriteAllBytesAsync(Path.Combine(machine, "b-odd.raw"), OddDisk(), token);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), host, token);
        using var client = await ArmClient.SignInAsync(server, token);
        var lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(client, lab, host, "account1", token);
        var point = await LabSetUp.BackUpAsync(client, lab, token);

        var volumes = await client.ListAsync(FileBrowsingLab.FilesUrl(lab, point, "/", "files"), token);
        Assert.Equal(("disk0", "ext4", null), ((string?)volumes[0]["name"], (string?)volumes[0]["fileSystem"], (string?)volumes[0]["unreadable"]));
        Assert.Contains(volumes, volume => ((string)volume["name"]!).StartsWith("disk1", StringComparison.Ordinal));
        Assert.All(volumes.Skip(1), volume => Assert.NotNull(volume["unreadable"]));
        using var download = await client.SendAsync(HttpMethod.Get, FileBrowsingLab.FilesUrl(lab, point, "/disk0/hello.txt", "files/download"), null, token);
        Assert.Equal((HttpStatusCode.OK, "hello\n"), (download.StatusCode, await download.Content.ReadAsStringAsync(token)));
    }

    /// <summary>8 MiB with an MBR of partitions that lie in each other: parted calls them recursive.</summary>
    private static byte[] OddDisk()
    {
        var disk = new byte[8 << 20];
        (uint Start, uint Count)[] partitions = [(0, 0xffff_ffff), (1, 1), (2048, 2048), (2048, 0xffff_fff0)];
        foreach (var (index, (start, count)) in partitions.Index())
        {
            var entry = disk.AsSpan(446 + (16 * index), 16);
            entry[4] = 0x83;
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], start);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], count);
        }

        (disk[510], disk[511]) = (0x55, 0xaa);
        return disk;
    }
}
