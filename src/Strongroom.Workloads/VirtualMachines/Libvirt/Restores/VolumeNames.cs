using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>
/// Names of volumes. A disk keeps for good the name that it was written under, <c>{machine}-{disk}.{first 8 digits of the job}-{fence}</c>: volumes cannot be renamed.
/// While it is under work its pool has the volume <c>strongroom-restore-{job}.{fence}</c>, too.
/// </summary>
internal static class VolumeNames
{
    private const string MarkerPrefix = "strongroom-restore-";

    public static string Marker(HostRun run) => string.Create(CultureInfo.InvariantCulture, $"{MarkerPrefix}{run.JobId:N}.{run.Fence}");

    public static bool TryParseMarker(string name, [NotNullWhen(true)] out HostRun? run)
    {
        run = null;
        if (!name.StartsWith(MarkerPrefix, StringComparison.Ordinal)) return false;
        var parts = name[MarkerPrefix.Length..].Split('.');
        if (parts.Length != 2 || !Guid.TryParseExact(parts[0], "N", out var job) || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)) return false;
        run = new(job, fence);
        return true;
    }

    /// <param name="extension">With its dot; empty for a volume that is no file.</param>
    public static string Disk(string machine, string disk, HostRun run, string extension) => $"{Safe(machine)}-{Safe(disk)}{Tag(run)}{extension}";

    /// <summary>Whether a volume was made by a run, for a disk.</summary>
    public static bool IsDiskOf(string name, HostRun run) =>
        name.EndsWith(Tag(run), StringComparison.Ordinal) || (Path.GetExtension(name) is ".qcow2" or ".raw" && Path.GetFileNameWithoutExtension(name).EndsWith(Tag(run), StringComparison.Ordinal));

    private static string Tag(HostRun run) => string.Create(CultureInfo.InvariantCulture, $".{run.JobId.ToString("N").AsSpan(0, 8)}-{run.Fence}");

    /// <summary>What every kind of pool takes.</summary>
    private static string Safe(string text) => string.Concat(text.Select(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-' ? letter : '-')).TrimStart('.', '-');
}
