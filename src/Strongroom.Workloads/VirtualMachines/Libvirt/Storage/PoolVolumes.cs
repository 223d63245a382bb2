using System.Xml.Linq;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>What libvirt knows of the volumes in a host's active storage pools, after it has looked at them anew.</summary>
internal sealed class PoolVolumes
{
    private readonly Dictionary<string, Volume> _volumes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private readonly List<string> _unread = [];

    private PoolVolumes()
    {
    }

    /// <summary>Paths and formats of volumes that are files.</summary>
    public IEnumerable<(string Path, string? Format)> Files => _volumes.Where(volume => volume.Value.IsFile).Select(volume => (volume.Key, volume.Value.Format));

    /// <summary>Devices that other devices are made over, as snapshots of LVM are.</summary>
    public IEnumerable<string> Origins => _volumes.Values.Where(volume => !volume.IsFile).Select(volume => volume.Backing.Name).OfType<string>();

    /// <summary>The pools that could not be looked at, for messages.</summary>
    public IReadOnlyList<string> Unread => _unread;

    public static PoolVolumes Read(LibvirtConnection connection)
    {
        var volumes = new PoolVolumes();
        foreach (var pool in connection.ListPools())
        {
            using (pool)
            {
                try
                {
                    if (pool.IsActive) volumes.Add(pool);
                }
                catch (LibvirtException exception) when (!exception.IsOfConnection)
                {
                    volumes._unread.Add($"storage pool '{pool.Name}'");
                }
            }
        }

        return volumes;
    }

    /// <summary>What the image at a path is made over; null where libvirt does not tell.</summary>
    /// <remarks>Of devices it does not look into the headers.</remarks>
    public BackingReference? Look(string path)
    {
        if (_volumes.TryGetValue(path, out var volume)) return volume.IsFile ? volume.Backing : null;
        // What the folder of a pool does not have is not there, and so is made over nothing.
        return _folders.Contains(Path.GetDirectoryName(path) ?? "") ? BackingReference.None : null;
    }

    private void Add(LibvirtPool pool)
    {
        // Others, such as targets of iSCSI, have no images that libvirt looks into.
        if (StoragePools.TakesDisks(pool)) pool.Refresh();
        foreach (var volume in pool.ListVolumes())
        {
            using (volume)
            {
                if (Describe(volume) is not { } xml) continue;
                var backing = xml.Element("backingStore");
                _volumes[volume.Path] = new(
                    (string?)xml.Attribute("type") == "file",
                    FormatOf(xml.Element("target")),
                    // Where it is no path it is part of an address.
                    new((string?)backing?.Element("path") is { } name && (Path.IsPathRooted(name) || name.StartsWith("json:", StringComparison.Ordinal)) ? name : null, FormatOf(backing)));
            }
        }

        if (StoragePools.IsFolder(pool) && StoragePools.PathOf(pool) is { } folder) _folders.Add(folder);
    }

    private static string? FormatOf(XElement? element) => (string?)element?.Element("format")?.Attribute("type") is { } format and not ("auto" or "unknown" or "none") ? format : null;

    /// <summary>Null where it was deleted meanwhile.</summary>
    private static XElement? Describe(LibvirtVolume volume)
    {
        try
        {
            return XElement.Parse(volume.Xml);
        }
        catch (LibvirtException exception) when (exception.Code == LibvirtException.NoStorageVolume)
        {
            return null;
        }
    }

    private sealed record Volume(bool IsFile, string? Format, BackingReference Backing);
}
