using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Removes what runs of restores have left in storage pools.</summary>
internal static class PoolSweep
{
    /// <summary>The runs of an owner that have left a mark in a pool.</summary>
    public static IReadOnlyList<HostRun> FindRuns(LibvirtPool pool, string owner)
    {
        var runs = new List<HostRun>();
        foreach (var volume in pool.ListVolumes())
        {
            using (volume)
            {
                if (VolumeNames.TryParseMarker(volume.Name, owner, out var run)) runs.Add(run);
            }
        }

        return runs;
    }

    /// <summary>Removes the disks of a run that neither a domain nor a stored resource has, and then its mark.</summary>
    /// <param name="known">Names of volumes that resources have (<see cref="ILibvirtHosts.ListVolumesAsync"/>); null: the run makes none that become resources.</param>
    /// <param name="mayGo">By its path, whether a disk may be removed; null: all may.</param>
    /// <returns>Paths of disks that nothing is known to need, and that stay with the mark, because something of the host cannot be read.</returns>
    public static IReadOnlyList<string> Clear(LibvirtConnection connection, HostSetting setting, LibvirtPool pool, HostRun run, IReadOnlySet<string>? known, Func<string, bool>? mayGo = null)
    {
        // Files that the server has written are not known to libvirt yet.
        if (StoragePools.IsFolder(pool)) pool.Refresh();
        var used = DisksInUse.Find(connection, setting.Host);
        var kept = new List<string>();
        foreach (var volume in pool.ListVolumes())
        {
            using (volume)
            {
                if (!VolumeNames.IsDiskOf(volume.Name, run) || known?.Contains(volume.Name) == true || used.Contains(volume.Path) || mayGo?.Invoke(volume.Path) == false) continue;
                if (used.Unread is null) volume.Delete();
                else kept.Add(volume.Path);
            }
        }

        using var marker = kept.Count == 0 ? pool.FindVolume(VolumeNames.Marker(run, setting.Owner)) : null;
        marker?.Delete();
        return kept;
    }
}
