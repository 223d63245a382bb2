using System.Xml.Linq;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>A disk in a backup of a domain.</summary>
/// <param name="Target">The guest's name of it.</param>
/// <param name="Export">The name of the export. Nobody can guess it: whoever else serves disks at our place has none of this name.</param>
/// <param name="SizeBytes">What its server must show.</param>
/// <param name="ScratchFile">Where QEMU keeps what the guest overwrites meanwhile.</param>
/// <param name="HasBitmap">A checkpoint can be made of it (qcow2).</param>
/// <param name="Since">The checkpoint since which changes are exported; null: none are.</param>
internal sealed record BackupDisk(string Target, string Export, long SizeBytes, string ScratchFile, bool HasBitmap, string? Since);

/// <summary>What libvirt is told of a backup (https://libvirt.org/formatbackup.html, https://libvirt.org/formatcheckpoint.html).</summary>
internal static class BackupXml
{
    /// <summary>The name of the exported bitmap.</summary>
    public const string ChangedBitmap = "changes";

    /// <summary>A pull backup.</summary>
    /// <param name="others">Targets of the domain's disks that are not backed up: libvirt takes what is not named.</param>
    public static string Backup(BackupServer server, IEnumerable<BackupDisk> disks, IEnumerable<string> others) => new XElement("domainbackup",
        new XAttribute("mode", "pull"),
        server.ToXml(),
        new XElement("disks",
            disks.Select(disk => new XElement("disk",
                new XAttribute("name", disk.Target), new XAttribute("backup", "yes"), new XAttribute("type", "file"), new XAttribute("exportname", disk.Export),
                disk.Since is null
                    ? [new XAttribute("backupmode", "full")]
                    : (object[])[new XAttribute("backupmode", "incremental"), new XAttribute("incremental", disk.Since), new XAttribute("exportbitmap", ChangedBitmap)],
                new XElement("scratch", new XAttribute("file", disk.ScratchFile)))),
            others.Select(target => new XElement("disk", new XAttribute("name", target), new XAttribute("backup", "no"))))).ToString();

    /// <summary>The checkpoint of the same moment; null when no disk can have one.</summary>
    public static string? Checkpoint(string name, IReadOnlyCollection<BackupDisk> disks, IEnumerable<string> others) => !disks.Any(disk => disk.HasBitmap) ? null : new XElement("domaincheckpoint",
        new XElement("name", name),
        new XElement("disks",
            disks.Select(disk => Tracked(disk.Target, disk.HasBitmap ? "bitmap" : "no")),
            others.Select(target => Tracked(target, "no")))).ToString();

    private static XElement Tracked(string target, string how) => new("disk", new XAttribute("name", target), new XAttribute("checkpoint", how));
}
