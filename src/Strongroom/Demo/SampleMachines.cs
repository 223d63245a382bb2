using System.Text.Json.Nodes;

namespace Strongroom.Demo;

/// <summary>A virtual machine of the demo: a folder, in it one raw file a disk.</summary>
/// <param name="Name">The folder's name and the machine's.</param>
/// <param name="DiskFiles">In the order of the names, which is the order of the LUNs; the first one is the system disk.</param>
internal sealed record DemoMachine(string Name, IReadOnlyList<string> DiskFiles);

/// <summary>Makes the machines that the demo protects: web1 with one disk and db1 with two.</summary>
internal sealed class SampleMachines(DemoOptions options, TimeProvider time)
{
    public const string SystemDiskName = "00-os.raw";
    public const string DataDiskName = "01-data.raw";

    /// <summary>The part of each disk that holds data; the rest is free space.</summary>
    private const double DataFraction = 0.3;

    private const long MiB = 1024 * 1024;

    private readonly string? mke2fs = ExternalTool.Find("mke2fs");

    /// <summary>Whether the disks carry real file systems; without mke2fs they hold generated content alone.</summary>
    public bool HasFileSystems => mke2fs is not null;

    /// <summary>Makes the machines below a folder that exists and is empty.</summary>
    /// <param name="folder">The host's folder; gets a sub-folder for each machine.</param>
    /// <param name="progress">Told the part that is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the work; what was made stays.</param>
    /// <exception cref="DemoException">A disk cannot be made.</exception>
    public async Task<IReadOnlyList<DemoMachine>> CreateAsync(string folder, Action<double> progress, CancellationToken cancellationToken)
    {
        var size = options.SizeMiB * MiB;
        var web = Prepare(folder, "web1", "Standard_B2s", SystemDiskName);
        var db = Prepare(folder, "db1", "Standard_D4s_v5", SystemDiskName, DataDiskName);

        if (options.DiskFile is { } own)
            await UserDisk.ImportAsync(own, web.DiskFiles[0], done => progress(done * 2 / 3), time, cancellationToken);
        else
            await CreateDiskAsync(web.DiskFiles[0], size, seed: 1, done => progress(done * 2 / 3), cancellationToken);
        await CreateDiskAsync(db.DiskFiles[0], size / 4, seed: 2, done => progress((4 + done) / 6), cancellationToken);
        await CreateDiskAsync(db.DiskFiles[1], size / 4, seed: 3, done => progress((5 + done) / 6), cancellationToken);
        return [web, db];
    }

    private static DemoMachine Prepare(string folder, string name, string size, params string[] diskNames)
    {
        var machine = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        var description = new JsonObject
        {
            ["name"] = name,
            ["size"] = size,
            ["osType"] = "Linux",
            ["tags"] = new JsonObject { ["purpose"] = "demo" },
        };
        File.WriteAllText(Path.Combine(machine, "vm.json"), description.ToJsonString());
        return new DemoMachine(name, [.. diskNames.Select(disk => Path.Combine(machine, disk))]);
    }

    private async Task CreateDiskAsync(string path, long lengthBytes, ulong seed, Action<double> progress, CancellationToken cancellationToken)
    {
        var content = new SampleFiles(new SampleContent(seed));
        if (mke2fs is null)
        {
            await content.WriteDiskAsync(path, lengthBytes, DataFraction, progress, cancellationToken);
            return;
        }

        // Beside the disks: the temporary folder of the machine may be small, or memory.
        var files = Directory.CreateDirectory(path + ".files").FullName;
        try
        {
            // Making the files is most of the work; mke2fs copies them in.
            await content.WriteFolderAsync(files, (long)(lengthBytes * DataFraction), done => progress(done * 0.8), cancellationToken);
            await ExternalTool.RunAsync(
                mke2fs,
                ["-q", "-F", "-t", "ext4", "-m", "0", "-d", files, path, $"{lengthBytes / 1024}k"],
                DemoTimeLimits.ForBytes(lengthBytes),
                time,
                cancellationToken);
            progress(1);
        }
        finally
        {
            Directory.Delete(files, recursive: true);
        }
    }
}
