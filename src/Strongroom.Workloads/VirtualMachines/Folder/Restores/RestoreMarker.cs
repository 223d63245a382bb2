using System.Text;

namespace Strongroom.Workloads.VirtualMachines.Folder.Restores;

/// <summary>
/// The file in a machine's folder that names the restore which made the folder: by it a repeated job, and the server at its start, know that the restore was committed.
/// </summary>
/// <param name="JobId">The restore job.</param>
/// <param name="Disks">File names of the disks that it wrote.</param>
internal sealed record RestoreMarker(Guid JobId, IReadOnlyList<string> Disks)
{
    public const string FileName = ".strongroom-restore";

    /// <summary>Longer ones are not ours.</summary>
    private const int LongestBytes = 64 * 1024;

    /// <summary>The marker of a machine's folder, or null where no restore made it.</summary>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    public static RestoreMarker? Find(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, FileName));
        if (!file.Exists || file.LinkTarget is not null || file.Length > LongestBytes) return null;
        var lines = File.ReadAllLines(file.FullName);
        return lines.Length > 0 && Guid.TryParseExact(lines[0], "D", out var job) ? new(job, lines[1..]) : null;
    }

    /// <summary>Writes the marker into a folder that nobody else sees yet, durably but for its name.</summary>
    public void Write(string folder) => Write(Path.Combine(folder, FileName), string.Join('\n', [JobId.ToString("D"), .. Disks]) + "\n");

    /// <summary>Writes a new file to stable storage.</summary>
    public static void Write(string path, string text)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }
}
