using System.Xml.Linq;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

/// <summary>What QEMU does when a disk cannot be read: while a machine runs from the vault it is stopped, so that the guest never learns that the server was away.</summary>
internal static class DiskErrors
{
    private static readonly string[] Policies = ["error_policy", "rerror_policy"];

    public static void StopMachine(XElement domain)
    {
        foreach (var driver in DriversOf(domain))
        {
            foreach (var policy in Policies) driver.SetAttributeValue(policy, "stop");
        }
    }

    /// <summary>As it was in the definition that was backed up.</summary>
    public static void Reset(XElement domain, string? definition)
    {
        var before = definition is null ? null : DomainDescription.Load(definition).Element("devices");
        foreach (var driver in DriversOf(domain))
        {
            var own = before is null ? null : DiskElements.Find(before, DomainDescription.TargetOf(driver.Parent!))?.Element("driver");
            foreach (var policy in Policies) driver.SetAttributeValue(policy, (string?)own?.Attribute(policy));
        }
    }

    private static IEnumerable<XElement> DriversOf(XElement domain) => domain.Elements("devices").Elements("disk").Where(DomainDescription.IsHardDisk).Elements("driver");
}
