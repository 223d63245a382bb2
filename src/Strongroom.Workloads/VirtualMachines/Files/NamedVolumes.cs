using System.Globalization;
using System.Text.RegularExpressions;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>The volumes of a recovery point as the top of its tree: <c>disk0</c>, <c>disk0-part1</c>, <c>vg0-root</c>. The same disks have the same names each time.</summary>
internal static partial class NamedVolumes
{
    /// <param name="volumes">With the appliance's devices, whose disks are named in LUN order: sda, sdb, ...</param>
    /// <param name="diskCount">Devices beyond belong to the appliance.</param>
    public static IReadOnlyList<(string Device, FileEntry Entry)> Of(IEnumerable<(string Device, string FileSystem, string? Label, long SizeBytes)> volumes, int diskCount)
    {
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var named = new List<(string Device, FileEntry Entry)>();
        foreach (var volume in volumes.OrderBy(static v => Order(v.Device)).ThenBy(static v => v.Device, StringComparer.Ordinal))
        {
            if (DiskOf(volume.Device) is var (disk, _) && disk >= diskCount) continue;
            var name = Unique(NameOf(volume.Device), taken);
            named.Add((volume.Device, new()
            {
                Name = System.Text.Encoding.ASCII.GetBytes(name),
                Kind = FileKind.Volume,
                SizeBytes = volume.SizeBytes,
                Volume = new(volume.FileSystem, volume.Label, WhyNot(volume.FileSystem)),
            }));
        }

        return named;
    }

    private static string? WhyNot(string fileSystem) => fileSystem switch
    {
        "swap" => "It is swap space: it holds no files.",
        "unknown" or "" => "No file system that is known was found on it.",
        "crypto_LUKS" or "BitLocker" => "It is encrypted: its files cannot be read without its key. Restore the disk, and open it there.",
        "LVM2_member" or "linux_raid_member" or "zfs_member" or "ldm_member" => "It is a part of something larger that could not be put together.",
        _ => null,
    };

    private static string NameOf(string device)
    {
        if (DiskOf(device) is var (disk, part)) return string.Create(CultureInfo.InvariantCulture, $"disk{disk}{(part.Length == 0 ? "" : "-part" + part)}");
        var path = device.StartsWith("/dev/", StringComparison.Ordinal) ? device["/dev/".Length..].Replace('/', '-') : device;
        var name = Unsafe().Replace(path, "_").TrimStart('.');
        return name.Length == 0 ? "volume" : name[..Math.Min(name.Length, 200)];
    }

    /// <summary>Disks and partitions first, in order, then the rest by name.</summary>
    private static long Order(string device) =>
        DiskOf(device) is var (disk, part) ? (disk * 1_000_000L) + (part.Length is > 0 and < 7 ? long.Parse(part, CultureInfo.InvariantCulture) : 0) : long.MaxValue;

    private static (int Disk, string Part)? DiskOf(string device)
    {
        if (Disk().Match(device) is not { Success: true } match) return null;
        var disk = match.Groups["disk"].Value.Aggregate(0, static (number, letter) => (number * 26) + letter - 'a' + 1) - 1;
        return (disk, match.Groups["part"].Value);
    }

    private static string Unique(string name, HashSet<string> taken)
    {
        var unique = name;
        for (var i = 2; !taken.Add(unique); i++) unique = string.Create(CultureInfo.InvariantCulture, $"{name}-{i}");
        return unique;
    }

    [GeneratedRegex("^/dev/sd(?<disk>[a-z]{1,3})(?<part>[0-9]{0,4})$")]
    private static partial Regex Disk();

    [GeneratedRegex("[^A-Za-z0-9._-]")]
    private static partial Regex Unsafe();
}
