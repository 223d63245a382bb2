using System.Xml.Linq;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>The description of a new machine, made from the one that a domain had when it was backed up.</summary>
/// <remarks>
/// Nothing of the new machine may be the old one's, which may run beside it: no id, no network address, no file or device of the host that either of them writes to, no socket,
/// no port. What only reads, such as a kernel that is booted directly, stays.
/// </remarks>
internal static class NewDomain
{
    // Parts of the host that only one machine can have, or that two would write to.
    private static readonly string[] OfHost = ["hostdev", "filesystem", "lease", "shmem", "smartcard"];

    /// <param name="definition">The description as it was.</param>
    /// <param name="disks">All disks that the new machine has.</param>
    /// <param name="network">The host's network that it is connected to; null: as it was.</param>
    /// <param name="isOwnHost">It is the host that the machine was backed up from; on another, QEMU may lie elsewhere.</param>
    /// <exception cref="InvalidDataException">It is not a domain's description.</exception>
    public static XElement Make(string definition, NewMachine wanted, IReadOnlyCollection<RestoredDisk> disks, string? network, bool isOwnHost)
    {
        var domain = DomainDescription.Load(definition);
        var devices = domain.Element("devices") ?? throw new InvalidDataException("The domain's description has no devices.");
        Identify(domain, wanted);
        ResetFirmware(domain);
        if (!isOwnHost) devices.Elements("emulator").Remove();
        ReplaceDisks(devices, disks);
        foreach (var nic in devices.Elements("interface").ToList()) Connect(nic, network);
        PortElements.Reset(devices);
        devices.Elements().Where(device => OfHost.Contains(device.Name.LocalName) || IsOfHost(device)).Remove();
        foreach (var socket in devices.Elements("vsock").Elements("cid"))
        {
            socket.SetAttributeValue("auto", "yes");
            socket.SetAttributeValue("address", null);
        }

        return domain;
    }

    private static void Identify(XElement domain, NewMachine wanted)
    {
        domain.SetAttributeValue("id", null);
        domain.SetElementValue("name", wanted.Name);
        domain.SetElementValue("uuid", wanted.VmId);
        // libvirt makes another: by it a guest knows that it has been copied.
        domain.Element("genid")?.RemoveNodes();
        // Must be the machine's own id, which libvirt takes where none is named.
        domain.Elements("sysinfo").Elements("system").Elements("entry").Where(entry => (string?)entry.Attribute("name") == "uuid").Remove();
        // They say as whom QEMU runs, and files of the host that it shows to the guest.
        domain.Elements("seclabel").Remove();
        domain.Elements("sysinfo").Where(info => (string?)info.Attribute("type") == "fwcfg").Remove();
        // Arguments to QEMU itself: they name files and sockets, and nobody knows which.
        domain.Elements().Where(element => element.Name.Namespace != XNamespace.None).Remove();
    }

    /// <summary>The variables of UEFI get a file of their own, made from their template.</summary>
    private static void ResetFirmware(XElement domain)
    {
        foreach (var variables in domain.Elements("os").Elements("nvram"))
        {
            variables.Attributes().Where(attribute => attribute.Name.LocalName is not ("template" or "templateFormat" or "format")).Remove();
            variables.RemoveNodes();
        }
    }

    private static void ReplaceDisks(XElement devices, IReadOnlyCollection<RestoredDisk> disks)
    {
        var left = disks.ToList();
        foreach (var disk in devices.Elements("disk").ToList())
        {
            if ((string?)disk.Attribute("device") is "cdrom" or "floppy")
            {
                disk.SetAttributeValue("type", "file");
                disk.Elements().Where(element => element.Name.LocalName is "source" or "backingStore").Remove();
                continue;
            }

            var restored = DomainDescription.IsHardDisk(disk) ? left.FirstOrDefault(candidate => candidate.Disk.Name == DomainDescription.TargetOf(disk)) : null;
            if (restored is null) disk.Remove();
            else DiskElements.Place(disk, restored);
            if (restored is not null) left.Remove(restored);
        }

        foreach (var disk in left) DiskElements.Add(devices, disk, "virtio");
    }

    private static void Connect(XElement nic, string? network)
    {
        nic.Elements().Where(element => element.Name.LocalName is "mac" or "target" or "backenddomain").Remove();
        foreach (var source in nic.Elements("source")) source.SetAttributeValue("portid", null);
        var type = (string?)nic.Attribute("type");
        if (network is not null)
        {
            nic.SetAttributeValue("type", "network");
            nic.SetAttributeValue("managed", null);
            nic.Elements().Where(element => element.Name.LocalName is "source" or "virtualport" or "script" or "ip" or "vlan").Remove();
            nic.AddFirst(new XElement("source", new XAttribute("network", network)));
            // A device of the host had its own driver in the guest.
            if (type is "hostdev" or "vdpa") nic.Elements().Where(element => element.Name.LocalName is "driver" or "address" or "model").Remove();
            if (nic.Element("model") is null) nic.Add(new XElement("model", new XAttribute("type", "virtio")));
        }
        else if (type is not ("network" or "bridge" or "direct" or "user"))
        {
            // A device, a socket or a tap of the old machine.
            nic.Remove();
        }
    }

    private static bool IsOfHost(XElement device) => device.Name.LocalName switch
    {
        "redirdev" => (string?)device.Attribute("type") != "spicevmc",
        "tpm" => (string?)device.Element("backend")?.Attribute("type") is not "emulator",
        "input" => device.Element("source") is not null,
        "memory" => device.Element("source")?.Element("path") is not null,
        "rng" => (string?)device.Element("backend")?.Attribute("model") == "egd",
        _ => false,
    };
}
