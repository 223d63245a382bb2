using System.Collections.Immutable;
using System.Globalization;
using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>
/// The element in a domain's metadata that names the restore which made the domain, or gave it its disks (docs/libvirt-hosts.md). It comes with the definition that
/// commits the restore: by it a repeated job, and the server at its start, know that there is nothing to be done again.
/// </summary>
/// <param name="Run">The run that committed.</param>
/// <param name="Replaced">Paths of the disks that the domain had before, as long as they have not been removed.</param>
internal sealed record RestoreMetadata(HostRun Run, ImmutableArray<string> Replaced)
{
    /// <summary>The domain runs from the vault, and its disks are still under work.</summary>
    public bool IsServed { get; init; }

    private const string Prefix = "strongroom";
    private const string NamespaceName = "https://strongroom.dev/xmlns/libvirt";

    private static readonly XNamespace Own = NamespaceName;

    /// <summary>What a domain's description says, or null where it says nothing of a restore.</summary>
    public static RestoreMetadata? Find(XElement domain) =>
        domain.Element("metadata")?.Element(Own + "restore") is { } found
        && Guid.TryParse((string?)found.Attribute("job"), out var job)
        && long.TryParse((string?)found.Attribute("fence"), NumberStyles.None, CultureInfo.InvariantCulture, out var fence)
            ? new(new(job, fence), [.. found.Elements(Own + "replaced").Select(disk => (string?)disk.Attribute("path")).OfType<string>()]) { IsServed = (string?)found.Attribute("served") == "yes" }
            : null;

    /// <summary>Puts it into a description, in the place of that of an earlier restore.</summary>
    public void Write(XElement domain)
    {
        var metadata = domain.Element("metadata");
        if (metadata is null) domain.Add(metadata = new("metadata"));
        metadata.Elements(Own + "restore").Remove();
        var restore = ToXml(Own);
        restore.Add(new XAttribute(XNamespace.Xmlns + Prefix, NamespaceName));
        metadata.Add(restore);
    }

    /// <summary>Puts it into the domain itself, whose description stays as it is otherwise. libvirt gives it its namespace.</summary>
    public void Write(LibvirtDomain domain) => domain.SetMetadata(ToXml(XNamespace.None).ToString(SaveOptions.DisableFormatting), Prefix, NamespaceName);

    private XElement ToXml(XNamespace names) => new(
        names + "restore",
        new XAttribute("job", Run.JobId),
        new XAttribute("fence", Run.Fence),
        IsServed ? new XAttribute("served", "yes") : null,
        Replaced.Select(path => new XElement(names + "replaced", new XAttribute("path", path))));
}
