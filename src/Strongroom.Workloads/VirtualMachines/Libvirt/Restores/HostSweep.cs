using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Brings a host into order after runs of restores that have ended, or have been taken over: what was committed comes to its end, and the rest goes.</summary>
internal static class HostSweep
{
    /// <param name="owner">Of the runs that are looked at (<see cref="HostSetting.Owner"/>).</param>
    /// <param name="isOver">Of the runs that are still marked in the host's storage pools, those that nobody works on.</param>
    public static void Run(LibvirtConnection connection, string owner, Func<HostRun, bool> isOver)
    {
        foreach (var pool in connection.ListPools())
        {
            using (pool)
            {
                if (!pool.IsActive) continue;
                foreach (var run in PoolSweep.FindRuns(pool, owner).Where(isOver))
                {
                    if (!EndReplacement(connection, run)) PoolSweep.Clear(connection, pool, run, owner);
                }
            }
        }
    }

    /// <returns>True: a domain of the run is served from the vault, and the run is not over.</returns>
    private static bool EndReplacement(LibvirtConnection connection, HostRun run)
    {
        var isServed = false;
        foreach (var domain in connection.ListDomains())
        {
            using (domain)
            {
                if (RestoreMetadata.Find(DomainDescription.Load(domain.IsPersistent ? domain.InactiveXml : domain.Xml)) is not { } restore || restore.Run != run) continue;
                isServed |= restore.IsServed;
                ReplacedDisks.Remove(connection, domain, restore);
            }
        }

        return isServed;
    }
}
