using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>The end of a replacement: the disks that the domain had go, and what libvirt kept of their changes.</summary>
internal static class ReplacedDisks
{
    /// <summary>Removes them. Can be repeated until the domain says nothing of them any more.</summary>
    /// <returns>Sentences for the machine's owner on what was kept.</returns>
    public static IReadOnlyList<string> Remove(LibvirtConnection connection, LibvirtHost host, LibvirtDomain domain, RestoreMetadata restore)
    {
        if (restore.Replaced.IsEmpty) return [];
        // A checkpoint's bitmaps went with the old disks, or miss what the new ones changed.
        foreach (var checkpoint in domain.ListCheckpoints()) domain.DeleteCheckpoint(checkpoint, isMetadataOnly: true);
        var used = DisksInUse.Find(connection, host);
        var kept = restore.Replaced.Select(path => WhyNot(used, path) ?? Delete(connection, path)).OfType<string>().ToList();
        (restore with { Replaced = [] }).Write(domain);
        return kept;
    }

    private static string? WhyNot(DisksInUse used, string path)
    {
        if (used.Contains(path)) return $"'{path}' is kept, because something else uses it.";
        return used.Unread is { } unread ? $"'{path}' is kept, because {unread} cannot be read, and may be made over it." : null;
    }

    private static string? Delete(LibvirtConnection connection, string path)
    {
        try
        {
            using var volume = StoragePools.FindVolume(connection, path);
            if (volume is null) return $"The old disk '{path}' is in no storage pool, and is kept.";
            volume.Delete();
            return null;
        }
        catch (LibvirtException exception) when (!exception.IsOfConnection)
        {
            return $"The old disk '{path}' is kept: {exception.Message}";
        }
    }
}
