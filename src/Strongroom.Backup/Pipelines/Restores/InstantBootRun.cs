using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>One try at a machine that runs from the vault.</summary>
/// <remarks>
/// 1. Begin on the host, or find the machine there that an earlier run has made. 2. Serve the disks of the recovery point. 3. Make the machine and start it, which an earlier run
/// may not have come to; its owner can stop it when that is written down, and then it is never started again. From here on
/// the job can only be ended by the end of the transfer, or of the machine. 4. Look every so often how far the transfer is. 5. When no disk needs the vault, clear up.
/// Whatever cuts this off leaves a machine that waits for its disks; the next run serves them under the same names.
/// </remarks>
internal sealed class InstantBootRun(
    JobRun run, RestoreRequest request, ProtectedItem item, RecoveryPoint point, IVaultStores stores, RestoreTargets targets, IJobLedger ledger, IInstantBooter booter, TimeSpan lookEvery, TimeProvider time)
{
    private long TotalBytes => point.Disks.Sum(disk => disk.SizeBytes);

    /// <summary>There is, or may be, a machine that needs the vault; null: the host was not asked.</summary>
    public bool? IsMade { get; private set; }

    /// <summary>It was cancelled, or the server is to stop, before it began.</summary>
    public bool IsCancelled { get; private set; }

    public async Task<JobEnd> RunAsync(CancellationToken cancellationToken)
    {
        // Step 1. Whoever cancels while the machine is being made gets rid of it, also after a crash.
        IsCancelled = run.Job.IsCancelRequested || cancellationToken.IsCancellationRequested;
        if (!IsCancelled) await run.ReportAsync(job => IsBooted(job) ? job : job.Begin(RestoreTasks.Boot, time.GetUtcNow()), cancellationToken);
        await using var boot = await BeginAsync(IsCancelled ? CancellationToken.None : cancellationToken);
        IsMade = boot.IsMade;
        var disks = new List<ReadOnlyDevice>();
        try
        {
            // Step 2.
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var disk in await stores.OpenAsync(item.VaultKey, point, cancellationToken)) disks.Add(new(disk));
            await boot.ServeAsync([.. point.Disks.Select((disk, index) => (AsBackedUp(disk), (IBlockDevice)disks[index]))], cancellationToken);

            // Step 3.
            if (!boot.IsMade || !IsBooted(run.Job)) await BootAsync(boot, cancellationToken);
            await run.ReportAsync(job => (IsBooted(job) ? job : job.Complete(RestoreTasks.Boot, time.GetUtcNow())).Begin(RestoreTasks.Transfer, time.GetUtcNow()), cancellationToken);

            // Step 4.
            return await TransferAsync(boot, cancellationToken);
        }
        catch (OperationCanceledException) when (boot.IsMade)
        {
            // Not when the server stops: then the machine waits for the next one.
            if (await ledger.FindAsync(run.Job.VaultKey, run.Job.Id, CancellationToken.None) is { IsCancelRequested: true })
            {
                await boot.AbandonAsync();
                IsMade = false;
            }

            throw;
        }
        finally
        {
            // The host's connections end before what they read is closed.
            await boot.DisposeAsync();
            foreach (var disk in disks) await disk.DisposeAsync();
        }
    }

    private async Task BootAsync(IInstantBoot boot, CancellationToken cancellationToken)
    {
        try
        {
            await boot.BootAsync(cancellationToken);
            IsMade = boot.IsMade;
        }
        catch (MachineException exception)
        {
            // A host that fell silent may have made it.
            IsMade = boot.IsMade || exception.Problem == MachineProblem.HostUnreachable;
            throw;
        }
    }

    private async Task<JobEnd> TransferAsync(IInstantBoot boot, CancellationToken cancellationToken)
    {
        var meter = new TransferMeter(run, RestoreTasks.Transfer, Math.Max(1, TotalBytes));
        while (true)
        {
            var moved = await boot.TransferAsync(cancellationToken);
            switch (moved.State)
            {
                case BootTransferState.IsDone:
                    meter.At(TotalBytes);
                    // Step 5.
                    await boot.EndAsync(cancellationToken);
                    return End();
                case BootTransferState.IsGone:
                    IsMade = false;
                    await boot.EndAsync(cancellationToken);
                    throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{request.Target!.Name}' was deleted on its host before its data had been transferred.");
                case BootTransferState.IsOff:
                    await run.ReportAsync(job => job.Detail(RestoreTasks.Transfer, "The machine is off. The transfer goes on at its next start."), cancellationToken);
                    break;
                default:
                    meter.At(moved.BytesDone);
                    break;
            }

            await Task.Delay(lookEvery, cancellationToken);
        }
    }

    private async Task<IInstantBoot> BeginAsync(CancellationToken cancellationToken)
    {
        var target = request.Target!;
        // A machine that is there already is taken up whatever has become of the resources.
        if (!IsBooted(run.Job))
        {
            await targets.RequireGroupAsync($"/subscriptions/{target.SubscriptionId}/resourceGroups/{target.ResourceGroup}", cancellationToken);
            await targets.RequireNetworkAsync(request.VirtualNetworkId, request.SubnetId, cancellationToken);
        }

        // The job's id, as of every machine that a job makes.
        return await booter.BeginAsync(
            new(point.Machine, target.SubscriptionId, target.ResourceGroup, target.Name, run.Job.Id, request.VirtualNetworkId, request.SubnetId), new(run.Job.Id, run.Claim.Fence), cancellationToken);
    }

    private static bool IsBooted(Job job) => job.Tasks.Any(task => task is { Name: RestoreTasks.Boot, State: JobStates.Completed });

    private MachineDisk AsBackedUp(RecoveryPointDisk disk) => new(disk.Lun, disk.Name, disk.SizeBytes, "qcow2");

    private JobEnd End()
    {
        var now = time.GetUtcNow();
        var job = run.Job.Complete(RestoreTasks.Transfer, now);
        return new(job with
        {
            State = JobStates.Completed,
            EndedAt = now,
            ProgressPercent = 100,
            EstimatedRemaining = TimeSpan.Zero,
            Properties = job.Properties.SetItem("Target resource group", request.Target!.ResourceGroup),
            InternalProperties = job.InternalProperties.SetItem("strongroom.bytesRestored", TotalBytes.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        }, JobOutcome.None);
    }
}
