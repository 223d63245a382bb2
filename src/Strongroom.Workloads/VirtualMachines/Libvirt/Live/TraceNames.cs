using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>How what a backup makes on a host is named: after the item, so that the next backup of it knows what was left.</summary>
internal sealed record TraceNames(Guid ItemKey)
{
    private const int LongestDisk = 40;

    /// <summary>Checkpoints, and so bitmaps, of the item.</summary>
    public string CheckpointPrefix => $"strongroom-{ItemKey:N}-";

    /// <summary>Sockets and scratch files of the item. Short: a socket's path has 107 bytes in all.</summary>
    public string FilePrefix => $"strongroom-{ItemKey.ToString("N")[..12]}-";

    /// <summary>Another name each time: what could not be removed is never in the way.</summary>
    public string Checkpoint(HostRun run, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{CheckpointPrefix}{run.JobId.ToString("N")[..8]}-{run.Fence}-{attempt}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}");

    public string Socket(HostRun run) => string.Create(CultureInfo.InvariantCulture, $"{FilePrefix}{run.Fence}.sock");

    /// <summary>Of no meaning and no order: what a server of this name shows is ours.</summary>
    public static string Export(string disk) => $"{disk}-{Guid.NewGuid():N}";

    public string Scratch(HostRun run, string disk) => string.Create(CultureInfo.InvariantCulture, $"{FilePrefix}{run.Fence}-{Shorten(disk)}.scratch");

    /// <summary>A file's name has 255 bytes; libvirt sets no limit to that of a disk.</summary>
    private static string Shorten(string disk) =>
        disk.Length <= LongestDisk ? disk : $"{disk[..LongestDisk]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(disk)))[..16]}";
}
