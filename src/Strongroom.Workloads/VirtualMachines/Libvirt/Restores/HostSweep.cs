using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Storage;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Brings a host into order after runs of restores that have ended, or have been taken over: what was committed comes to its end, and the rest goes.</summary>
internal static class HostSweep
{
    /// <param name="isOver">Of the runs that are still marked in the host's storage pools, those that nobody works on.</param>
    /// <param name="known">Names of volumes that stored resources have; null: the runs make none that become resources.</param>
    /// <returns>Paths of disks that nothing is known to need, and that stay.</returns>
    public static IReadOnlyList<string> Run(LibvirtConnection connection, HostSetting setting, Func<HostRun, bool> isOver, IReadOnlySet<string>? known)
    {
        var kept = new List<string>();
        foreach (var pool in connection.ListPools())
        {
            using (pool)
            {
                if (!pool.IsActive) continue;
                foreach (var run in PoolSweep.FindRuns(pool, setting.Owner).Where(isOver))
                {
                    if (!EndReplacement(connection, setting.Host, run)) kept.AddRange(PoolSweep.Clear(connection, setting, pool, run, known));
                }
            }
        }

        return kept;
    }

    /// <returns>True: a domain of the run is served from the vault, and the run is not over.</returns>
    private static bool EndReplacement(LibvirtConnection connection, LibvirtHost host, HostRun run)
    {
        var isServed = false;
        foreach (var domain in connection.ListDomains())
        {
            using (domain)
            {
                if (RestoreMetadata.Find(DomainDescription.Load(domain.IsPersistent ? domain.InactiveXml : domain.Xml)) is not { } restore || restore.Run != run) continue;
                isServed |= restore.IsServed;
                ReplacedDisks.Remove(connection, host, domain, restore);
            }
        }

        return isServed;
    }
}
