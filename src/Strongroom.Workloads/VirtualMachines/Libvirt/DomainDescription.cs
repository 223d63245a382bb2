using System.Collections.Immutable;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>A disk of a domain, as its description has it.</summary>
/// <param name="Target">The guest's name of it, such as <c>vda</c>; unique in the domain.</param>
/// <param name="SourceType"><c>file</c>, <c>block</c>, <c>volume</c>, <c>network</c> and so on.</param>
/// <param name="Source">Path of the file or block device on the host; null for others.</param>
/// <param name="Format"><c>qcow2</c>, <c>raw</c> and so on.</param>
/// <param name="BootOrder">From 1; null: it is not named in a boot order.</param>
internal sealed record DomainDisk(string Target, string SourceType, string? Source, string Format, uint? BootOrder)
{
    /// <summary>Where it is, whatever its type: the attributes of its source and of the hosts in that, such as <c>file=/srv/web1.qcow2</c>.</summary>
    public string Place { get; init; } = "";
}

/// <summary>What a domain's description (https://libvirt.org/formatdomain.html) says, as far as backups need it.</summary>
internal sealed record DomainDescription
{
    public required string Name { get; init; }
    public required Guid Id { get; init; }

    /// <summary>In mebibytes.</summary>
    public required long MemoryMebibytes { get; init; }
    public required int Processors { get; init; }

    /// <summary>What libosinfo's metadata says, or null.</summary>
    public string? OsId { get; init; }

    /// <summary>Hard disks only: no CD, floppy, or empty drive.</summary>
    public required ImmutableArray<DomainDisk> Disks { get; init; }

    public required ImmutableArray<(string Mac, string? Network, string? Model)> Interfaces { get; init; }

    /// <summary>It has the guest agent's channel.</summary>
    public required bool HasAgentChannel { get; init; }

    /// <exception cref="InvalidDataException">It is not a domain's description.</exception>
    public static DomainDescription Parse(string xml)
    {
        var domain = Load(xml);
        var devices = domain.Element("devices") ?? throw new InvalidDataException("The domain's description has no devices.");
        return new()
        {
            Name = (string?)domain.Element("name") ?? throw new InvalidDataException("The domain's description has no name."),
            Id = Guid.TryParse((string?)domain.Element("uuid"), out var id) ? id : throw new InvalidDataException("The domain's description has no uuid."),
            MemoryMebibytes = Mebibytes(domain.Element("memory")),
            Processors = int.TryParse(domain.Element("vcpu")?.Value, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var processors) ? processors : 1,
            OsId = (string?)domain.Element("metadata")?.Descendants().FirstOrDefault(e => e.Name.LocalName == "os")?.Attribute("id"),
            Disks = [.. devices.Elements("disk").Where(IsHardDisk).Select(Disk)],
            Interfaces = [.. devices.Elements("interface").Select(Interface)],
            HasAgentChannel = devices.Elements("channel").Any(channel => (string?)channel.Element("target")?.Attribute("name") == "org.qemu.guest_agent.0"),
        };
    }

    /// <summary>A description as a tree; nothing outside of it is read.</summary>
    /// <exception cref="InvalidDataException">It is not a domain's description.</exception>
    public static XElement Load(string xml)
    {
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            var root = XElement.Load(reader);
            return root.Name.LocalName == "domain" ? root : throw new InvalidDataException("It is not a domain's description.");
        }
        catch (XmlException exception)
        {
            throw new InvalidDataException("The domain's description cannot be read.", exception);
        }
    }

    /// <summary>Whether a <c>disk</c> element is a hard disk with something in it.</summary>
    public static bool IsHardDisk(XElement disk) =>
        (string?)disk.Attribute("device") is null or "disk" && disk.Element("source") is not null && disk.Element("target")?.Attribute("dev") is not null;

    /// <summary>The guest's name of a disk.</summary>
    public static string TargetOf(XElement disk) => (string)disk.Element("target")!.Attribute("dev")!;

    private static DomainDisk Disk(XElement disk)
    {
        var source = disk.Element("source")!;
        return new(
            TargetOf(disk),
            (string?)disk.Attribute("type") ?? "file",
            (string?)source.Attribute("file") ?? (string?)source.Attribute("dev"),
            (string?)disk.Element("driver")?.Attribute("type") ?? "raw",
            uint.TryParse((string?)disk.Element("boot")?.Attribute("order"), NumberStyles.None, CultureInfo.InvariantCulture, out var order) ? order : null)
        {
            Place = string.Join(' ', new[] { source }.Concat(source.Elements("host")).SelectMany(element => element.Attributes()).Where(IsOfPlace).Select(attribute => $"{attribute.Name.LocalName}={attribute.Value}")),
        };
    }

    /// <summary>An index is another at each start of the machine; what is done where a disk is missing does not say where it is.</summary>
    private static bool IsOfPlace(XAttribute attribute) => attribute.Name.LocalName is not ("index" or "startupPolicy");

    private static (string Mac, string? Network, string? Model) Interface(XElement element)
    {
        var source = element.Element("source");
        return (
            (string?)element.Element("mac")?.Attribute("address") ?? "",
            (string?)source?.Attribute("network") ?? (string?)source?.Attribute("bridge") ?? (string?)source?.Attribute("dev"),
            (string?)element.Element("model")?.Attribute("type"));
    }

    private static long Mebibytes(XElement? memory)
    {
        if (memory is null || !long.TryParse(memory.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)) return 0;
        return (string?)memory.Attribute("unit") switch
        {
            "b" or "bytes" => amount >> 20,
            "MiB" or "M" => amount,
            "GiB" or "G" => amount << 10,
            _ => amount >> 10,
        };
    }
}
