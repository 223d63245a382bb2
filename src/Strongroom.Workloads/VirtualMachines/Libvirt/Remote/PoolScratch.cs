using System.Xml.Linq;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

/// <summary>The scratch folder of another machine, seen through the storage pool that holds it.</summary>
internal sealed class PoolScratch(LibvirtHost host, LibvirtConnections connections, string pool) : ScratchSpace(host.ScratchPath)
{
    /// <summary>A look goes through all files of the pool, so it is seldom.</summary>
    public override TimeSpan Interval => TimeSpan.FromSeconds(2);

    public override int IntervalsAhead => 3;

    /// <summary>The pool whose folder is a host's scratch folder, or else the nearest above it; null: there is none. Blocks.</summary>
    /// <exception cref="LibvirtException">The host is gone.</exception>
    public static string? FindPool(LibvirtConnection connection, LibvirtHost host) => PoolFolders(connection)
        .Where(pool => pool.Folder == host.ScratchPath || host.ScratchPath.StartsWith(pool.Folder + "/", StringComparison.Ordinal))
        .OrderByDescending(pool => pool.Folder.Length).Select(pool => pool.Name).FirstOrDefault();

    /// <summary>Deletes what backups have left in the scratch folder, where it is a pool of its own. Blocks.</summary>
    /// <param name="filePrefix">Of the names of files that are to go.</param>
    /// <exception cref="LibvirtException">The host is gone.</exception>
    public static void RemoveFiles(LibvirtConnection connection, LibvirtHost host, string filePrefix, ILogger log)
    {
        if (PoolFolders(connection).FirstOrDefault(pool => pool.Folder == host.ScratchPath).Name is not { } name) return;
        using var pool = connection.FindPool(name);
        if (pool is null) return;
        try
        {
            pool.Refresh();
            foreach (var volume in pool.ListVolumes())
            {
                using (volume)
                {
                    if (volume.Name.StartsWith(filePrefix, StringComparison.Ordinal)) volume.Delete();
                }
            }
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection)
        {
            log.LogWarning(exception, "What backups left in storage pool {Pool} of host {Host} is not removed yet", name, host.Id);
        }
    }

    public override async Task<ScratchRoom?> LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await connections.UseAsync(host, Look, cancellationToken);
        }
        catch (MachineException)
        {
            // The pool is at work, or the host does not answer: the next look tells.
            return null;
        }
    }

    private ScratchRoom? Look(LibvirtConnection connection)
    {
        using var found = connection.FindPool(pool);
        if (found is null) return null;
        found.Refresh();
        var room = found.Room;
        return new((long)room.Capacity, (long)room.Available);
    }

    /// <summary>Active pools of files, with their folders.</summary>
    private static List<(string Name, string Folder)> PoolFolders(LibvirtConnection connection)
    {
        var folders = new List<(string, string)>();
        foreach (var pool in ListPools(connection))
        {
            using (pool)
            {
                if (FolderOf(pool) is { } folder) folders.Add((pool.Name, folder));
            }
        }

        return folders;
    }

    private static IReadOnlyList<LibvirtPool> ListPools(LibvirtConnection connection)
    {
        try
        {
            return connection.ListPools();
        }
        catch (LibvirtException exception) when (exception.Code == LibvirtException.NoSupport)
        {
            // The host's libvirt is without its part for storage.
            return [];
        }
    }

    private static string? FolderOf(LibvirtPool pool)
    {
        try
        {
            return pool.IsActive && StoragePools.IsFolder(pool) && (string?)XElement.Parse(pool.Xml).Element("target")?.Element("path") is { Length: > 1 } folder ? folder.TrimEnd('/') : null;
        }
        catch (LibvirtException exception) when (exception.Code == LibvirtException.NoStoragePool)
        {
            // It went while we looked.
            return null;
        }
    }
}
