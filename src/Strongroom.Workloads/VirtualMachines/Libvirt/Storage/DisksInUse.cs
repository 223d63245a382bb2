using System.Xml.Linq;
using Strongroom.Blocks;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>
/// The files and devices of a host that must not be deleted: what domains have as disks, now or at their next start, and what these or other volumes are made over. libvirt does not
/// tell what the disk of a domain is made over that is off, nor what came into a pool behind its back; so pools are looked at anew, and headers are read.
/// </summary>
internal sealed class DisksInUse
{
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private readonly HashSet<(ulong Device, ulong Inode)> _files = [];
    private readonly SortedSet<string> _unread = new(StringComparer.Ordinal);
    private readonly LibvirtConnection _connection;
    private readonly BackingChains _chains;
    private readonly bool _isLocal;

    private DisksInUse(LibvirtConnection connection, PoolVolumes volumes, bool isLocal) =>
        (_connection, _isLocal, _chains) = (connection, isLocal, new(path => (isLocal ? ImageHeaders.Look(path) : null) ?? volumes.Look(path)));

    /// <summary>Something that may be made over any file of the host, since it cannot be read; null: there is nothing of that kind, and what is not in use is not needed.</summary>
    public string? Unread => _unread.FirstOrDefault();

    public static DisksInUse Find(LibvirtConnection connection, LibvirtHost host)
    {
        var volumes = PoolVolumes.Read(connection);
        var found = new DisksInUse(connection, volumes, host.IsLocal);
        found._unread.UnionWith(volumes.Unread);
        foreach (var origin in volumes.Origins) found.Add(origin);
        // A volume itself is in use only if something says so.
        foreach (var (path, format) in volumes.Files) found.AddChain(path, format, hasTop: false);
        foreach (var domain in connection.ListDomains())
        {
            using (domain) found.Add(domain);
        }

        return found;
    }

    /// <summary>Whether a path is one of them, by this name or by another.</summary>
    public bool Contains(string path) => _paths.Contains(path) || (FileAt(path) is { } file && _files.Contains(file));

    private void Add(LibvirtDomain domain)
    {
        foreach (var xml in Descriptions(domain))
        {
            var description = XElement.Parse(xml);
            foreach (var disk in description.Elements("devices").Elements("disk"))
            {
                // The disk itself, and what libvirt lists below or beside it.
                foreach (var source in disk.Descendants("source")) Add(source, $"disk '{(string?)disk.Element("target")?.Attribute("dev")}' of '{(string?)description.Element("name")}'");
            }
        }
    }

    private void Add(XElement source, string disk)
    {
        var owner = source.Parent!;
        var format = (string?)(owner.Name.LocalName == "disk" ? owner.Element("driver") : owner.Element("format"))?.Attribute("type");
        if (StoragePools.PathOf(_connection, source) is { } path) AddChain(path, format ?? "raw", hasTop: true);
        // A pool at rest does not tell where its volume is; and an image on another kind of storage may be made over a file.
        else if (source.Attribute("volume") is not null || format is not (null or "raw")) _unread.Add(disk);
    }

    private void AddChain(string path, string? format, bool hasTop)
    {
        var chain = _chains.Follow(path, format);
        foreach (var used in chain.Paths.Skip(hasTop ? 0 : 1)) Add(used);
        if (chain.Unread is { } unread) _unread.Add($"'{unread}'");
    }

    private void Add(string path)
    {
        _paths.Add(path);
        if (FileAt(path) is { } file) _files.Add(file);
        // libvirt may know a device by another name.
        using var volume = _isLocal ? null : _connection.FindVolume(path);
        if (volume is not null) _paths.Add(volume.Path);
    }

    private (ulong Device, ulong Inode)? FileAt(string path)
    {
        if (!_isLocal) return null;
        try
        {
            using var place = PathHandle.Open(path);
            return (place.Identity.Device, place.Identity.Inode);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string[] Descriptions(LibvirtDomain domain)
    {
        try
        {
            return domain.IsPersistent ? [domain.Xml, domain.InactiveXml] : [domain.Xml];
        }
        catch (LibvirtException exception) when (exception.Code == LibvirtException.NoDomain)
        {
            return [];
        }
    }
}
