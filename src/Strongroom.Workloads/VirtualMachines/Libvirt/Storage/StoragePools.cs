using System.Xml.Linq;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

/// <summary>What restores ask of a host's storage pools and of the disks of its domains.</summary>
internal static class StoragePools
{
    // Pools whose volumes are files, and those whose volumes are devices that libvirt can make.
    private static readonly string[] Folders = ["dir", "fs", "netfs", "vstorage"];
    private static readonly string[] Devices = ["logical", "zfs"];

    /// <exception cref="MachineException">It is not there, not active, or of a kind that takes no restored disks.</exception>
    public static LibvirtPool Open(LibvirtConnection connection, LibvirtHost host, string name)
    {
        var pool = connection.FindPool(name) ?? throw new MachineException(MachineProblem.NotWritable, $"Host '{host.Name}' has no storage pool '{name}'.");
        try
        {
            if (!pool.IsActive) throw new MachineException(MachineProblem.NotWritable, $"Storage pool '{name}' of host '{host.Name}' is not active.");
            return TakesDisks(pool)
                ? pool
                : throw new MachineException(MachineProblem.NotWritable, $"Storage pool '{name}' of host '{host.Name}' is of type '{TypeOf(pool)}', which takes no restored disks.");
        }
        catch
        {
            pool.Dispose();
            throw;
        }
    }

    /// <summary>Its volumes are files of one folder.</summary>
    public static bool IsFolder(LibvirtPool pool) => Folders.Contains(TypeOf(pool));

    /// <summary>Volumes can be made in it.</summary>
    public static bool TakesDisks(LibvirtPool pool) => TypeOf(pool) is { } type && (Folders.Contains(type) || Devices.Contains(type));

    /// <summary>The volume at a path, also when it came into its pool behind libvirt's back; null when no pool has it.</summary>
    public static LibvirtVolume? FindVolume(LibvirtConnection connection, string path)
    {
        if (connection.FindVolume(path) is { } known) return known;
        foreach (var pool in connection.ListPools())
        {
            using (pool)
            {
                if (pool.IsActive && PathOf(pool) == Path.GetDirectoryName(path)) pool.Refresh();
            }
        }

        return connection.FindVolume(path);
    }

    /// <summary>The path of a disk's <c>source</c> element on the host; null for one that is no file, device or volume.</summary>
    public static string? PathOf(LibvirtConnection connection, XElement source)
    {
        if (((string?)source.Attribute("file") ?? (string?)source.Attribute("dev")) is { } path) return path;
        if ((string?)source.Attribute("pool") is not { } name || (string?)source.Attribute("volume") is not { } volume) return null;
        using var pool = connection.FindPool(name);
        using var found = pool is { IsActive: true } ? pool.FindVolume(volume) : null;
        return found?.Path;
    }

    /// <summary>The folder that its volumes are in.</summary>
    public static string? PathOf(LibvirtPool pool) => (string?)XElement.Parse(pool.Xml).Element("target")?.Element("path");

    private static string? TypeOf(LibvirtPool pool) => (string?)XElement.Parse(pool.Xml).Attribute("type");
}
