using System.Xml.Linq;
using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>The <c>disk</c> elements of a domain's description.</summary>
internal static class DiskElements
{
    // What belongs to the source that the disk had, and not to the disk as the guest sees it.
    private static readonly string[] OfSource = ["source", "backingStore", "mirror", "auth", "encryption", "shareable", "transient"];

    /// <summary>Gives a disk what was restored for it; the guest sees it in the same place as before.</summary>
    public static void Place(XElement disk, RestoredDisk restored)
    {
        disk.Elements().Where(element => OfSource.Contains(element.Name.LocalName)).Remove();
        foreach (var attribute in (string[])["rawio", "sgio"]) disk.SetAttributeValue(attribute, null);
        disk.SetAttributeValue("type", restored.IsBlock ? "block" : "file");
        disk.SetAttributeValue("device", "disk");
        var driver = disk.Element("driver");
        if (driver is null) disk.AddFirst(driver = new("driver"));
        driver.SetAttributeValue("name", "qemu");
        driver.SetAttributeValue("type", restored.Format);
        driver.AddAfterSelf(new XElement("source", new XAttribute(restored.IsBlock ? "dev" : "file", restored.Path)));
    }

    /// <summary>The hard disk that the guest knows by a name, or null.</summary>
    public static XElement? Find(XElement devices, string target) =>
        devices.Elements("disk").FirstOrDefault(disk => DomainDescription.IsHardDisk(disk) && DomainDescription.TargetOf(disk) == target);

    /// <summary>Adds a disk under its own name for the guest, if it is one and free, else under the first free one of the bus.</summary>
    /// <param name="bus"><c>virtio</c> or <c>sata</c>, for a disk whose name does not tell.</param>
    public static void Add(XElement devices, RestoredDisk restored, string bus)
    {
        var taken = devices.Elements("disk").Elements("target").Select(target => (string?)target.Attribute("dev")).ToHashSet();
        var target = BusOf(restored.Disk.Name) is not null && !taken.Contains(restored.Disk.Name) ? restored.Disk.Name : FirstFree(bus == "virtio" ? "vd" : "sd", taken);
        var disk = new XElement("disk", new XElement("target", new XAttribute("dev", target), new XAttribute("bus", BusOf(target)!)));
        Place(disk, restored);
        if (devices.Elements("disk").LastOrDefault() is { } last) last.AddAfterSelf(disk);
        else devices.Add(disk);
    }

    private static string FirstFree(string prefix, HashSet<string?> taken) =>
        Enumerable.Range('a', 26).Select(letter => prefix + (char)letter).FirstOrDefault(name => !taken.Contains(name))
        ?? throw new MachineException(MachineProblem.DiskUnsupported, "The machine has no free place for another disk.");

    private static string? BusOf(string name) => name.Length == 3 && char.IsAsciiLetterLower(name[2])
        ? name[..2] switch { "vd" => "virtio", "sd" => "sata", _ => null }
        : null;
}
