namespace Strongroom.Clients.Disks;

/// <summary>A folder of a host: one virtual machine with its disks, in the order of their names.</summary>
internal sealed class SampleMachine
{
    private SampleMachine(string name, IReadOnlyList<string> disks)
    {
        Name = name;
        Disks = disks;
    }

    public string Name { get; }

    /// <summary>The paths of the disk files.</summary>
    public IReadOnlyList<string> Disks { get; }

    /// <summary>Makes a machine with raw disks of the given lengths, in MiB.</summary>
    public static SampleMachine Create(string hostFolder, string name, int seed, params ReadOnlySpan<int> diskLengthsMiB)
    {
        List<string> disks = [];
        foreach (var lengthMiB in diskLengthsMiB)
        {
            var path = Path.Combine(hostFolder, name, $"disk{disks.Count}.raw");
            SampleDisk.Create(path, lengthMiB * 1024L * 1024, seed + disks.Count);
            disks.Add(path);
        }
        return new SampleMachine(name, disks);
    }

    /// <summary>Changes about 2 % of every disk.</summary>
    public void Change(int seed)
    {
        foreach (var (index, disk) in Disks.Index())
            SampleDisk.Change(disk, 0.02, seed + index);
    }

    /// <summary>What the disks hold now: the length in bytes and the SHA-256 of each.</summary>
    public IReadOnlyList<DiskContent> Content() => [.. Disks.Select(disk => new DiskContent(new FileInfo(disk).Length, SampleDisk.Sha256(disk)))];
}

/// <summary>What a disk held at one moment.</summary>
internal sealed record DiskContent(long LengthBytes, string Sha256);
