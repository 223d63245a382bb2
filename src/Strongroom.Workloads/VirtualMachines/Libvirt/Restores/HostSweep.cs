using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

/// <summary>Brings a host into order after runs of restores that have ended, or have been taken over: what was committed comes to its end, and the rest goes.</summary>
internal static class HostSweep
{
    /// <param name="isOver">Of the runs that are still marked in the host's storage pools, those that nobody works on.</param>
    public static void Run(LibvirtConnection connection, Func<HostRun, bool> isOver)
    {
        foreach (var pool in connection.ListPools())
        {
            using (pool)
            {
                if (!pool.IsActive) continue;
                foreach (var run in PoolSweep.FindRuns(pool).Where(isOver))
                {
                    EndReplacement(connection, run);
                    PoolSweep.Clear(connection, pool, run);
                }
            }
        }
    }

    private static void EndReplacement(LibvirtConnection connection, HostRun run)
    {
        foreach (var domain in connection.ListDomains())
        {
            using (domain)
            {
                if (domain.IsPersistent && RestoreMetadata.Find(DomainDescription.Load(domain.InactiveXml)) is { } restore && restore.Run == run) ReplacedDisks.Remove(connection, domain, restore);
            }
        }
    }
}
