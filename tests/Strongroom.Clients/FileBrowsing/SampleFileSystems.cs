using System.Text;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>Disks with the file systems that machines have, made by guestfish in one appliance, and what is in them.</summary>
internal static class SampleFileSystems
{
    public const int ManyCount = 2500;

    /// <summary>The content of <c>big.bin</c> on every volume.</summary>
    public static byte[] Big { get; } = MakeBig();

    /// <summary>Name of a file that is no UTF-8 and has a line break.</summary>
    public static byte[] OddName => [.. "odd"u8, 0xFF, (byte)'\n', .. "name"u8];

    public static IReadOnlyDictionary<string, string> Environment { get; } = new Dictionary<string, string> { ["LIBGUESTFS_BACKEND"] = "direct", ["LIBGUESTFS_BACKEND_SETTINGS"] = "force_tcg" };

    /// <summary>
    /// Makes <c>a-os.raw</c> (GPT: vfat, ext4, LVM with xfs and swap, ntfs, nothing), <c>b-data.raw</c> (btrfs on the whole disk), <c>c-noise.raw</c>, <c>d-cut.raw</c> (an ext4 whose second half is zeros),
    /// and three that are ext4 with 50 bytes of their first 2 MiB changed.
    /// </summary>
    public static async Task MakeAsync(string folder, string scratch, CancellationToken cancellationToken)
    {
        var guestfish = Peer.RequireOrSkip("guestfish", "guestfish");
        Directory.CreateDirectory(folder);
        var (full, plain) = await MakeTreesAsync(scratch, cancellationToken);
        string Disk(string name) => Path.Combine(folder, name);
        string[] script =
        [
            $"disk-create {Disk("a-os.raw")} raw 1G", $"disk-create {Disk("b-data.raw")} raw 192M", $"disk-create {Disk("d-cut.raw")} raw 64M",
            $"add {Disk("a-os.raw")} format:raw", $"add {Disk("b-data.raw")} format:raw", $"add {Disk("d-cut.raw")} format:raw",
            "run",
            "part-init /dev/sda gpt",
            "part-add /dev/sda p 2048 133119", "part-add /dev/sda p 133120 395263", "part-add /dev/sda p 395264 1443839", "part-add /dev/sda p 1443840 1574911", "part-add /dev/sda p 1574912 1640447",
            "mkfs vfat /dev/sda1 label:EFI", "mkfs ext4 /dev/sda2 label:boot", "mkfs ntfs /dev/sda4 label:Windows", "mkfs btrfs /dev/sdb", "mkfs ext4 /dev/sdc",
            "pvcreate /dev/sda3", "vgcreate vg0 /dev/sda3", "lvcreate root vg0 400", "lvcreate swap vg0 32", "mkfs xfs /dev/vg0/root", "mkswap /dev/vg0/swap",
            .. Fill("/dev/sda1", plain), .. Fill("/dev/sda2", full), .. Fill("/dev/vg0/root", full), .. Fill("/dev/sda4", plain), .. Fill("/dev/sdc", plain),
            "mount /dev/sdb /", "btrfs-subvolume-create /home", $"tar-in {full} /home", "umount-all",
        ];
        var file = Path.Combine(scratch, "make.fish");
        await File.WriteAllLinesAsync(file, script, cancellationToken);
        (await CommandResult.RunAsync(guestfish, ["-f", file], Environment, cancellationToken)).Succeeded();

        var noise = new byte[8 << 20];
        new Random(7).NextBytes(noise);
        await File.WriteAllBytesAsync(Disk("c-noise.raw"), noise, cancellationToken);
        await using var cut = new FileStream(Disk("d-cut.raw"), FileMode.Open);
        cut.SetLength(32 << 20);
        cut.SetLength(64 << 20);
        for (var i = 0; i < 3; i++) await MakeFuzzedAsync(Disk($"e-fuzzed{i}.raw"), seed: i, cancellationToken);
    }

    /// <summary>An ext4 with a few files, hurt where its superblock, its tables and its folders are.</summary>
    private static async Task MakeFuzzedAsync(string file, int seed, CancellationToken cancellationToken)
    {
        const int sizeBytes = 16 << 20, hurtBytes = 2 << 20;
        (await CommandResult.RunAsync(Peer.RequireOrSkip("mke2fs", "e2fsprogs"), ["-q", "-t", "ext4", "-d", "/etc/apt", file, "16M"], null, cancellationToken)).Succeeded();
        var disk = await File.ReadAllBytesAsync(file, cancellationToken);
        Assert.Equal(sizeBytes, disk.Length);
        var random = new Random(seed);
        for (var i = 0; i < 50; i++) disk[random.Next(1024, hurtBytes)] = (byte)random.Next(256);
        await File.WriteAllBytesAsync(file, disk, cancellationToken);
    }

    private static string[] Fill(string device, string tar) => [$"mount {device} /", $"tar-in {tar} /", "umount-all"];

    /// <summary>Tar archives of a tree with all that Unix has, and of one that FAT can hold as well.</summary>
    private static async Task<(string Full, string Plain)> MakeTreesAsync(string scratch, CancellationToken cancellationToken)
    {
        var tree = Path.Combine(scratch, "tree");
        Directory.CreateDirectory(Path.Combine(tree, "sub", "deep"));
        Directory.CreateDirectory(Path.Combine(tree, "many"));
        await File.WriteAllBytesAsync(Path.Combine(tree, "big.bin"), Big, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(tree, "sub", "deep", "hello.txt"), "hello\n", cancellationToken);
        for (var i = 0; i < ManyCount; i++) await File.WriteAllBytesAsync(Path.Combine(tree, "many", $"file {i:0000}"), [], cancellationToken);
        const string script = """
            set -e
            cd "$1"
            tar -cf "$2/plain.tar" big.bin sub
            ln -s deep/hello.txt sub/link; ln -s sub folder; ln -s /etc/passwd absolute; ln -s loop loop; ln -s ../../../../../../etc escape
            ln big.bin hard; mkfifo fifo; chmod 4750 sub/deep/hello.txt; touch -d 2001-02-03T04:05:06Z sub/deep/hello.txt
            printf odd > "$(printf 'odd\377\nname')"
            truncate -s 1T sparse
            tar --sparse --numeric-owner --owner=1000 --group=1001 -cf "$2/full.tar" .
            rm -r "$1"
            """;
        (await CommandResult.RunAsync("/bin/sh", ["-c", script, "sh", tree, scratch], null, cancellationToken)).Succeeded();
        return (Path.Combine(scratch, "full.tar"), Path.Combine(scratch, "plain.tar"));
    }

    private static byte[] MakeBig()
    {
        var big = new byte[(5 << 20) + 12345];
        new Random(5).NextBytes(big);
        Encoding.ASCII.GetBytes("the beginning of it").CopyTo(big, 0);
        return big;
    }
}
