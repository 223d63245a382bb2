using System.Security.Cryptography;
using System.Text;
using Strongroom.Clients.Guests;

namespace Strongroom.Clients.FileRecovery;

/// <summary>
/// The disks of a machine with every volume that the recovery script mounts, and what is in them. A guest makes them
/// (Guests/make-disks.sh), once: they are kept beside its image.
/// </summary>
internal sealed class MountedMachine
{
    private const long DiskBytes = 768L << 20;
    private const string FilesName = "files.txt";

    private static readonly string[] DiskNames = ["system", "lvm", "btrfs", "old", "dirty", "left", "right"];

    private readonly string _folder;

    private MountedMachine(string folder) => _folder = folder;

    /// <summary>Its volume group vg0.</summary>
    public string LvmDisk => DiskFile(_folder, "lvm");

    /// <summary>A btrfs without partitions.</summary>
    public string BtrfsDisk => DiskFile(_folder, "btrfs");

    /// <summary>SHA-256 by "VOLUME PATH"; volumes by their labels.</summary>
    public IReadOnlyDictionary<string, string> Files => Read(File.ReadAllText(Path.Combine(_folder, FilesName)));

    public static async Task<MountedMachine> FindOrMakeAsync(GuestImage image, CancellationToken cancellationToken)
    {
        var script = await File.ReadAllTextAsync(Path.Combine(Repository.GuestFolder, "make-disks.sh"), cancellationToken);
        var folder = Path.Combine(image.Folder, "disks-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(script)))[..12]);
        if (Directory.Exists(folder))
            return new(folder);
        // Made beside the final place and renamed, so that an interrupted run leaves nothing that looks finished.
        var partial = folder + ".partial-" + Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(partial);
        try
        {
            foreach (var name in DiskNames)
            {
                await using var file = File.Create(DiskFile(partial, name));
                file.SetLength(DiskBytes);
            }

            // The guest is ended while the last volume is mounted: so does a machine that loses power.
            await using (var guest = await Guest.StartAsync(image, [.. DiskNames.Select(name => new GuestDisk(DiskFile(partial, name), KeepsChanges: true))], cancellationToken))
            {
                await guest.PutAsync("/run/make-disks.sh", script, cancellationToken);
                var made = (await guest.RunAsync("sh /run/make-disks.sh", cancellationToken, timeoutSeconds: 300)).Succeeded();
                await File.WriteAllTextAsync(Path.Combine(partial, FilesName), made.StandardOutput, cancellationToken);
            }

            Directory.Move(partial, folder);
        }
        finally
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
        }

        return new(folder);
    }

    /// <summary>Copies the disks into a folder of a host, with their holes.</summary>
    public async Task CopyAsync(string machineFolder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(machineFolder);
        foreach (var (index, name) in DiskNames.Index())
            (await CommandResult.RunAsync("cp", ["--sparse=always", DiskFile(_folder, name), Path.Combine(machineFolder, $"disk{index}.raw")], null, cancellationToken)).Succeeded();
    }

    /// <summary>Lines "VOLUME SHA-256 PATH" as a dictionary.</summary>
    public static IReadOnlyDictionary<string, string> Read(string lines) => lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' ', 3))
        .ToDictionary(parts => $"{parts[0]} {parts[2]}", parts => parts[1]);

    private static string DiskFile(string folder, string name) => Path.Combine(folder, name + ".raw");
}
