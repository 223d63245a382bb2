using Microsoft.Extensions.Logging;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>Machines that run from a recovery point while their data are brought over (docs/adr/0026-instant-boot.md).</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class InstantBoots(IVaultStores stores, IResourceStore resources, IJobLedger ledger, PointHolds holds, IInstantBooter booter, TimeProvider time, ILogger<InstantBoots> log)
{
    /// <summary>What fails while a machine needs the vault is tried again after this time, for as long as it takes.</summary>
    public TimeSpan RetryEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often it is looked how far the data are.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    internal async Task<JobEnd> RunAsync(JobRun run, RestoreRequest request, ProtectedItem item, RecoveryPoint point, CancellationToken cancellationToken)
    {
        // The live job keeps the point from being deleted; this keeps a deletion that has begun from being overtaken.
        using var hold = holds.Hold(item, point.Name);
        // Only an earlier run may have left a machine that needs this one.
        var mayBeMade = run.Job.Tasks.Any(task => task.Name == RestoreTasks.Boot && task.State != "NotStarted");
        while (true)
        {
            var attempt = new InstantBootRun(run, request, item, point, stores, new(resources), ledger, booter, LookEvery, time);
            try
            {
                return await attempt.RunAsync(cancellationToken);
            }
            catch (Exception exception) when ((attempt.IsMade ?? mayBeMade) && MayPass(exception) && !cancellationToken.IsCancellationRequested)
            {
                log.LogWarning(exception, "Job {JobId}: the machine that runs from the vault cannot be served now; trying again", run.Job.Id);
                await run.ReportAsync(job => job.Detail(RestoreTasks.Transfer, exception.Message), CancellationToken.None);
                await Task.Delay(RetryEvery, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception) when ((attempt.IsMade ?? mayBeMade) && cancellationToken.IsCancellationRequested && !attempt.IsCancelled)
            {
                // Whoever cancels gets rid of the machine, wherever it was: the next attempt begins as one that is cancelled.
                if (await ledger.FindAsync(run.Job.VaultKey, run.Job.Id, CancellationToken.None) is not { IsCancelRequested: true }) throw;
            }

            mayBeMade = true;
        }
    }

    /// <summary>What must not take the vault away from a machine that runs from it.</summary>
    private static bool MayPass(Exception exception) =>
        exception is Store.StoreException or IOException or UnauthorizedAccessException or MachineException { Problem: MachineProblem.HostUnreachable or MachineProblem.NoHost or MachineProblem.HostFailed or MachineProblem.NotWritable };
}
