using System.Xml.Linq;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;

/// <summary>
/// Whether images are made over what is served from the vault. Only their headers tell it: their owner may have put others over those that were made for the machine, as a
/// snapshot does, and may have taken off the domain's metadata.
/// </summary>
/// <param name="sockets">What the path of each socket of the job begins with (<see cref="ServedDisks.PathPrefix"/>).</param>
internal sealed class VaultNeed(string sockets)
{
    private readonly BackingChains _chains = new(ImageHeaders.Look);

    // Paths may be written in several ways in the name of a backing file. The last part has a job's digits in it, and none that need to be written otherwise.
    private readonly string _name = Path.GetFileName(sockets);

    /// <summary>Whether a domain with this description may need the vault: an image of its disks is made over it, or cannot be followed to its base.</summary>
    /// <param name="pathOf">The path of a <c>source</c> element; null for one that is no file or device, or is not to be found.</param>
    public bool MayBeOf(string xml, Func<XElement, string?> pathOf) => XElement.Parse(xml).Elements("devices").Elements("disk").Any(disk => MayBeOf(disk, pathOf));

    /// <summary>Whether an image needs the vault; null where it cannot be told.</summary>
    public bool? IsOf(string path, string? format = null)
    {
        var chain = _chains.Follow(path, format);
        if (chain.Names.Any(name => name.Contains(_name, StringComparison.Ordinal))) return true;
        return chain.Unread is null ? false : null;
    }

    private bool MayBeOf(XElement disk, Func<XElement, string?> pathOf)
    {
        if (disk.Element("source") is not { } source) return false;
        if (pathOf(source) is { } path) return IsOf(path, (string?)disk.Element("driver")?.Attribute("type") ?? "raw") != false;
        return source.Attribute("volume") is not null;
    }
}
