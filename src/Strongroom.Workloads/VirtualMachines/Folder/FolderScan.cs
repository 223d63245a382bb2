using System.Collections.Immutable;
using Strongroom.Arm;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>Finds the machines of one host: a folder each.</summary>
/// <remarks>
/// What is wrong with a machine becomes its <see cref="VirtualMachine.Problem"/>; what cannot even have a name is left out and reported to <paramref name="warn"/>.
/// Folders whose name begins with a dot are passed over: a place for base images.
/// </remarks>
/// <param name="host">The host.</param>
/// <param name="onlyName">The one machine that is looked for (without regard to case): the disks of others are not touched. Null for all.</param>
/// <param name="roots">What may be read.</param>
/// <param name="warn">Takes what the operator should know.</param>
internal sealed class FolderScan(FolderHost host, string? onlyName, AllowedRoots roots, Action<string> warn)
{
    /// <summary>The machines, by folder name in ordinal order.</summary>
    /// <exception cref="IOException">The host's own folder cannot be read, or is not allowed.</exception>
    public async Task<List<FolderMachine>> RunAsync(CancellationToken cancellationToken)
    {
        using var folder = roots.OpenFolder(host.Path);
        var machines = new List<FolderMachine>();
        foreach (var name in Names(Directory.EnumerateDirectories(folder.PinnedPath)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (name.StartsWith('.'))
                continue;
            if (await ScanAsync(Path.Combine(folder.RealPath, name), name, cancellationToken) is { } machine)
                machines.Add(machine);
        }

        return machines;
    }

    private async Task<FolderMachine?> ScanAsync(string path, string folderName, CancellationToken cancellationToken)
    {
        var problems = new MachineProblems();
        var description = MachineDescription.None;
        List<DiskPlace> disks = [];
        var realPath = path;
        try
        {
            using var folder = roots.OpenFolder(path);
            realPath = folder.RealPath;
            var files = Names(Directory.EnumerateFiles(folder.PinnedPath));
            if (files.Contains(MachineDescription.FileName))
                description = ReadDescription(Path.Combine(folder.RealPath, MachineDescription.FileName));
            if (onlyName is not null && !onlyName.Equals(description.Name ?? folderName, StringComparison.OrdinalIgnoreCase))
                return null;
            problems.Add(MachineProblem.BadDescription, description.Problem);
            disks = await ReadDisksAsync(folder.RealPath, [.. files.Where(DiskFiles.IsDisk)], description, problems, cancellationToken);
        }
        catch (PathRefusedException exception)
        {
            // A link that leads out of what is allowed: its target's name is nothing for the API.
            warn($"Folder '{path}' of host '{host.Id}' is left out: {exception.Message}");
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add(MachineProblem.DiskUnreadable, "The machine's folder cannot be read.");
        }

        var name = description.Name ?? folderName;
        if (!ResourceNames.IsMachine(name))
        {
            warn($"Folder '{path}' of host '{host.Id}' is left out: '{name}' is not a valid name of a virtual machine. Give it one in {MachineDescription.FileName}.");
            return null;
        }

        var machine = new VirtualMachine
        {
            SubscriptionId = host.SubscriptionId,
            ResourceGroup = host.ResourceGroup,
            Name = name,
            Location = host.Location,
            VmId = description.VmId ?? MachineNames.DeriveId(host.Id, folderName),
            HostId = host.Id,
            OsType = description.OsType ?? "Linux",
            Size = description.Size ?? "Standard_B2s",
            Tags = description.Tags,
            Disks = [.. disks.Select(disk => disk.Disk)],
            Problem = problems.Text,
        };
        return new FolderMachine(machine, realPath, disks, description.OsDisk, problems.Kind);
    }

    private MachineDescription ReadDescription(string path)
    {
        try
        {
            using var file = roots.OpenFile(path);
            if (RandomAccess.GetLength(file.Handle) > MachineDescription.LongestBytes)
                return MachineDescription.Broken($"{MachineDescription.FileName} is larger than {MachineDescription.LongestBytes / 1024} KiB.");
            var bytes = new byte[MachineDescription.LongestBytes];
            var count = RandomAccess.Read(file.Handle, bytes, 0);
            return MachineDescription.Parse(WithoutMark(bytes.AsMemory(0, count)));
        }
        catch (IOException)
        {
            return MachineDescription.Broken($"{MachineDescription.FileName} cannot be read.");
        }
    }

    private async Task<List<DiskPlace>> ReadDisksAsync(
        string folder, ImmutableArray<string> names, MachineDescription description, MachineProblems problems, CancellationToken cancellationToken)
    {
        if (names.IsEmpty)
            problems.Add(MachineProblem.DiskUnreadable, "The machine's folder holds no disk (.raw, .img, .qcow2, .vhd).");
        var osDisk = description.OsDisk ?? names.FirstOrDefault();
        if (description.OsDisk is not null && !names.Contains(description.OsDisk, StringComparer.Ordinal))
            problems.Add(MachineProblem.DiskUnreadable, $"{MachineDescription.FileName}: there is no disk '{description.OsDisk}'.");

        var disks = new List<DiskPlace>();
        var nextLun = 0;
        foreach (var name in names)
        {
            var (format, size, path) = await ReadDiskAsync(folder, name, problems, cancellationToken);
            disks.Add(new DiskPlace(new MachineDisk(name == osDisk ? -1 : nextLun++, DiskName(name, names), size, format), path));
        }

        return [.. disks.OrderBy(disk => disk.Disk.Lun)];
    }

    private async Task<(string Format, long SizeBytes, string Path)> ReadDiskAsync(string folder, string name, MachineProblems problems, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, name);
        try
        {
            using var file = roots.OpenFile(path);
            var (format, size) = await DiskFiles.DescribeAsync(file, cancellationToken);
            if (size == 0)
                problems.Add(MachineProblem.DiskUnsupported, $"Disk '{name}' is empty.");
            return (format, size, file.Path);
        }
        catch (InvalidDataException)
        {
            problems.Add(MachineProblem.DiskUnsupported, $"Disk '{name}' is damaged or not what its name says.");
        }
        catch (PathRefusedException)
        {
            problems.Add(MachineProblem.DiskUnreadable, $"Disk '{name}' is a link to a place that the server's operator has not allowed.");
        }
        catch (IOException)
        {
            problems.Add(MachineProblem.DiskUnreadable, $"Disk '{name}' cannot be read.");
        }

        return ("raw", 0, path);
    }

    /// <summary>The file's name without its extension; with it where two disks would else have one name.</summary>
    private static string DiskName(string name, ImmutableArray<string> names)
    {
        var bare = Path.GetFileNameWithoutExtension(name);
        return names.Count(other => Path.GetFileNameWithoutExtension(other).Equals(bare, StringComparison.OrdinalIgnoreCase)) == 1 ? bare : name;
    }

    private static ImmutableArray<string> Names(IEnumerable<string> paths) =>
        [.. paths.Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    /// <summary>Windows' editors begin a file with a byte order mark.</summary>
    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> json) => json.Span.StartsWith("\uFEFF"u8) ? json[3..] : json;
}
