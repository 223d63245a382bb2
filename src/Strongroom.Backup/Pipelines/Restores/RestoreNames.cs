using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>How a restore names its container and blobs: as the real service does.</summary>
internal sealed record RestoreNames(string Machine, Guid JobId, DateTimeOffset PointTime)
{
    private string Safe { get; } = new([.. Machine.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-')]);

    public string Container => $"{Safe.Trim('.', '-', '_').ToLowerInvariant()}-{JobId:N}";

    public string Config => $"config-{Safe}-{JobId}.json";

    public string Template => $"azuredeploy{JobId}.json";

    public string Disk(RecoveryPointDisk disk) => DiskStem(disk) + ".vhd";

    public string DiskStem(RecoveryPointDisk disk)
    {
        var kind = disk.Lun < 0 ? "osdisk" : "datadisk-" + disk.Lun.ToString("000", CultureInfo.InvariantCulture);
        return $"{Safe}-{kind}-{PointTime.UtcDateTime.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}";
    }

    /// <summary>The same id for the same disk of the same job, so that a repeated run writes the same bytes.</summary>
    public static Guid DiskId(Guid jobId, RecoveryPointDisk disk) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{jobId:N}/{disk.Lun.ToString(CultureInfo.InvariantCulture)}"))[..16]);
}
