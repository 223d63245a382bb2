using Strongroom.Backup.Machines;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>
/// Keeps the numbers of disks from one recovery point to the next. What is excluded from an item's backups is so by LUN, and a disk that is added, or another order
/// of boot, must not give its number to a disk that was backed up.
/// </summary>
internal static class KnownDisks
{
    /// <param name="before">The machine as the newest recovery point has it; null: there is none.</param>
    /// <returns>
    /// The machine with its disks numbered as they were, by their names. New ones get numbers that none had. A machine with another id, or with none of the disks that it
    /// had, stays as it was found.
    /// </returns>
    public static LibvirtMachine Renumber(LibvirtMachine found, VirtualMachine? before)
    {
        if (before is null || before.VmId != found.Machine.VmId) return found;
        var known = before.Disks.Where(disk => found.Machine.Disks.Any(now => now.Name == disk.Name)).ToDictionary(disk => disk.Name, disk => disk.Lun, StringComparer.Ordinal);
        if (known.Count == 0) return found;
        // The disk that the machine boots from is always backed up.
        if (!known.ContainsValue(-1) && found.Machine.Disks.FirstOrDefault(disk => disk.IsOs) is { } system) known[system.Name] = -1;
        // Those of disks that are gone too: they may be excluded.
        var taken = before.Disks.Select(disk => disk.Lun).Append(-1).ToHashSet();
        foreach (var disk in found.Machine.Disks.Where(disk => !known.ContainsKey(disk.Name)))
        {
            var lun = taken.Contains(disk.Lun) ? taken.Max() + 1 : disk.Lun;
            taken.Add(lun);
            known[disk.Name] = lun;
        }

        var disks = found.Machine.Disks.Zip(found.Domain.Disks).Select(pair => (Machine: pair.First with { Lun = known[pair.First.Name] }, Domain: pair.Second)).OrderBy(pair => pair.Machine.Lun).ToList();
        return found with
        {
            Machine = found.Machine with { Disks = [.. disks.Select(pair => pair.Machine)] },
            Domain = found.Domain with { Disks = [.. disks.Select(pair => pair.Domain)] },
        };
    }
}
