using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

/// <summary>The description of a machine that is booted to prove that it can be: as it was, with nothing of the world around it.</summary>
internal static class IsolatedDomain
{
    // What reaches out of the machine, or waits for somebody: networks, screens to connect to, sounds, devices of the host.
    private static readonly string[] Outside = ["interface", "graphics", "audio", "sound", "redirdev", "hostdev", "filesystem", "shmem", "rng", "vsock", "watchdog", "tpm", "console", "serial", "parallel"];

    /// <param name="machine">As it was backed up, with its definition.</param>
    /// <param name="name">Of the domain.</param>
    /// <param name="sockets">Where each disk is served, as the export "disk".</param>
    /// <param name="consoleFile">Gets what the machine writes to its serial port.</param>
    /// <param name="variablesFile">For the variables of UEFI, where the machine has any.</param>
    /// <exception cref="InvalidDataException">The definition cannot be understood.</exception>
    public static XElement Make(VirtualMachine machine, string name, Guid id, IReadOnlyList<(MachineDisk Disk, string Socket)> sockets, string consoleFile, string variablesFile, bool isOwnHost)
    {
        var wanted = new NewMachine(machine, machine.SubscriptionId, machine.ResourceGroup, name, id, null, null);
        // A path stands for each disk until its real source takes its place: what is not restored has no place in the new machine.
        var domain = NewDomain.Make(machine.Definition!, wanted, [.. sockets.Select(disk => new RestoredDisk(disk.Disk, disk.Socket, IsBlock: false, "raw"))], null, isOwnHost);
        var devices = domain.Element("devices")!;
        devices.Elements().Where(device => Outside.Contains(device.Name.LocalName) || (string?)device.Attribute("device") is "cdrom" or "floppy").Remove();
        foreach (var disk in devices.Elements("disk")) Serve(disk);
        devices.Add(new XElement("serial", new XAttribute("type", "file"), new XElement("source", new XAttribute("path", consoleFile)), new XElement("target", new XAttribute("port", "0"))));
        if (devices.Element("video") is null) devices.Add(new XElement("video", new XElement("model", new XAttribute("type", "vga"))));
        foreach (var variables in domain.Elements("os").Elements("nvram"))
        {
            variables.RemoveNodes();
            variables.Add(variablesFile);
        }

        // One boot is what is looked at. A machine that ends or crashes has not proven itself.
        foreach (var ending in (string[])["on_poweroff", "on_reboot", "on_crash"]) domain.SetElementValue(ending, "destroy");
        return domain;
    }

    private static void Serve(XElement disk)
    {
        var socket = (string)disk.Element("source")!.Attribute("file")!;
        disk.SetAttributeValue("type", "network");
        disk.Element("source")!.ReplaceWith(new XElement("source", new XAttribute("protocol", "nbd"), new XAttribute("name", "disk"),
            new XElement("host", new XAttribute("transport", "unix"), new XAttribute("socket", socket))));
        // What was right for a file of the host (native AIO, direct I/O) is not so for a socket.
        foreach (var attribute in (string[])["io", "cache", "discard", "detect_zeroes", "iothread", "queues", "error_policy", "rerror_policy"]) disk.Element("driver")!.SetAttributeValue(attribute, null);
    }
}
