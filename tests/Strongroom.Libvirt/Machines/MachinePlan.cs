using System.Xml.Linq;

namespace Strongroom.Libvirt.Machines;

/// <summary>A machine to be made.</summary>
/// <param name="Name">Its name, which is part of the names of its files.</param>
internal sealed record MachinePlan(string Name)
{
    public Guid Uuid { get; init; } = Guid.NewGuid();

    /// <summary>What the disk that it boots is kept in (vda; ext4 at /data).</summary>
    public DiskKind BootDisk { get; init; } = DiskKind.Qcow2;

    /// <summary>Further disks, vdb and so on: each an empty ext4 file system, at /mnt/vdb and so on.</summary>
    public IReadOnlyList<DiskKind> DataDisks { get; init; } = [];

    /// <summary>Size of each further disk, in MiB.</summary>
    public int DataDiskMebibytes { get; init; } = 64;

    /// <summary>The hardware address of its network interface, whose network is emulated by QEMU; null for none.</summary>
    public string? Mac { get; init; }

    /// <summary>Whether it has the channel that the guest agent answers on.</summary>
    public bool HasAgent { get; init; } = true;

    /// <summary>libvirt's description of it.</summary>
    /// <param name="serialFile">Gets what it writes to its serial port.</param>
    public XElement ToXml(IEnumerable<MachineDisk> disks, string serialFile) => new("domain", new XAttribute("type", "qemu"),
        new XElement("name", Name),
        new XElement("uuid", Uuid),
        new XElement("memory", new XAttribute("unit", "MiB"), 192),
        new XElement("vcpu", 1),
        new XElement("os", new XElement("type", new XAttribute("arch", "x86_64"), new XAttribute("machine", "pc"), "hvm"), new XElement("boot", new XAttribute("dev", "hd"))),
        new XElement("features", new XElement("acpi")),
        new XElement("devices",
            disks.Select(ToXml),
            Mac is null ? null : new XElement("interface", new XAttribute("type", "user"),
                new XElement("mac", new XAttribute("address", Mac)), new XElement("model", new XAttribute("type", "virtio"))),
            new XElement("serial", new XAttribute("type", "file"), new XElement("source", new XAttribute("path", serialFile), new XAttribute("append", "on"))),
            HasAgent ? new XElement("channel", new XAttribute("type", "unix"),
                new XElement("target", new XAttribute("type", "virtio"), new XAttribute("name", "org.qemu.guest_agent.0"))) : null,
            new XElement("video", new XElement("model", new XAttribute("type", "vga"))),
            new XElement("controller", new XAttribute("type", "usb"), new XAttribute("model", "none")),
            new XElement("memballoon", new XAttribute("model", "none"))));

    private static XElement ToXml(MachineDisk disk) =>
        new("disk", new XAttribute("type", disk.IsBlockDevice ? "block" : "file"), new XAttribute("device", "disk"),
            new XElement("driver", new XAttribute("name", "qemu"), new XAttribute("type", disk.Format), new XAttribute("discard", "unmap")),
            new XElement("source", new XAttribute(disk.IsBlockDevice ? "dev" : "file", disk.Path)),
            new XElement("target", new XAttribute("dev", disk.Target), new XAttribute("bus", "virtio")));
}
