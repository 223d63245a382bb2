using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>
/// Names of volumes. A disk keeps for good the name that it was written under, <c>{machine}-{disk}.{first 8 digits of the job}-{fence}</c>: volumes cannot be renamed.
/// While it is under work its pool has the volume <c>strongroom-restore-{job}.{fence}.{owner}</c>, too.
/// </summary>
internal static class VolumeNames
{
    private const string MarkerPrefix = "strongroom-restore-";
    private const int OwnerBytes = 8;

    /// <summary>
    /// Who may clear up what a mark stands for: the server that made it, by way of the same host, and nobody else. Several servers, and several hosts, may share a pool, and only
    /// the host of a run knows whether a domain has its disks. The first 8 bytes of the SHA-256 of the server's id (32 hexadecimal digits), the host resource's id and its URI, in
    /// lower case, with a line feed after each of the first two; 16 hexadecimal digits.
    /// </summary>
    public static string Owner(Guid serverId, LibvirtHost host)
    {
        var names = string.Create(CultureInfo.InvariantCulture, $"{serverId:N}\n{host.Id.ToLowerInvariant()}\n{host.Uri.ToLowerInvariant()}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names)).AsSpan(0, OwnerBytes));
    }

    public static string Marker(HostRun run, string owner) => string.Create(CultureInfo.InvariantCulture, $"{MarkerPrefix}{run.JobId:N}.{run.Fence}.{owner}");

    /// <returns>False for what is no mark, and for a mark of another owner.</returns>
    public static bool TryParseMarker(string name, string owner, [NotNullWhen(true)] out HostRun? run)
    {
        run = null;
        if (!name.StartsWith(MarkerPrefix, StringComparison.Ordinal)) return false;
        var parts = name[MarkerPrefix.Length..].Split('.');
        if (parts.Length != 3 || parts[2] != owner || !Guid.TryParseExact(parts[0], "N", out var job) || !long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)) return false;
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
