using System.Xml.Linq;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>The description of a machine that comes from another kind of host, which told nothing of its hardware: usual for today, 2 processors, 2 GiB.</summary>
internal static class DefaultDomain
{
    /// <param name="capabilities">What the host can run, as libvirt describes it.</param>
    /// <param name="network">The host's network that it is connected to; null: one that leads through the host.</param>
    public static XElement Make(NewMachine wanted, IReadOnlyCollection<RestoredDisk> disks, string? network, string capabilities)
    {
        // Windows has no drivers of its own for virtio.
        var isWindows = wanted.Source.OsType == "Windows";
        var (architecture, isAccelerated) = Read(capabilities);
        var devices = new XElement("devices");
        foreach (var restored in disks.OrderBy(disk => disk.Disk.Lun)) DiskElements.Add(devices, restored, isWindows ? "sata" : "virtio");
        devices.Elements("disk").FirstOrDefault()?.Add(new XElement("boot", new XAttribute("order", 1)));
        devices.Add(
            new XElement("interface",
                new XAttribute("type", network is null ? "user" : "network"),
                network is null ? null : new XElement("source", new XAttribute("network", network)),
                Model(isWindows ? "e1000e" : "virtio")),
            new XElement("console", new XAttribute("type", "pty")),
            new XElement("channel", new XAttribute("type", "unix"), new XElement("target", new XAttribute("type", "virtio"), new XAttribute("name", "org.qemu.guest_agent.0"))),
            new XElement("graphics", new XAttribute("type", "vnc"), new XAttribute("autoport", "yes")),
            new XElement("video", Model(isWindows ? "vga" : "virtio")),
            new XElement("rng", new XAttribute("model", "virtio"), new XElement("backend", new XAttribute("model", "random"), "/dev/urandom")));
        var machine = architecture switch { "x86_64" => "q35", "aarch64" => "virt", _ => null };
        return new("domain",
            new XAttribute("type", isAccelerated ? "kvm" : "qemu"),
            new XElement("name", wanted.Name),
            new XElement("uuid", wanted.VmId),
            new XElement("memory", new XAttribute("unit", "GiB"), 2),
            new XElement("vcpu", 2),
            new XElement("os",
                architecture == "aarch64" ? new XAttribute("firmware", "efi") : null,
                new XElement("type", new XAttribute("arch", architecture), machine is null ? null : new XAttribute("machine", machine), "hvm")),
            architecture == "x86_64" ? new XElement("features", new XElement("acpi"), new XElement("apic")) : null,
            new XElement("cpu", new XAttribute("mode", isAccelerated ? "host-passthrough" : "maximum")),
            isWindows ? new XElement("clock", new XAttribute("offset", "localtime")) : null,
            devices);
    }

    private static XElement Model(string type) => new("model", new XAttribute("type", type));

    /// <summary>The host's own architecture, and whether it runs machines of it by KVM.</summary>
    private static (string Architecture, bool IsAccelerated) Read(string capabilities)
    {
        var root = XElement.Parse(capabilities);
        var architecture = (string?)root.Element("host")?.Element("cpu")?.Element("arch") ?? "x86_64";
        var kinds = root.Elements("guest").Elements("arch").Where(arch => (string?)arch.Attribute("name") == architecture).Descendants("domain");
        return (architecture, kinds.Any(kind => (string?)kind.Attribute("type") == "kvm"));
    }
}
