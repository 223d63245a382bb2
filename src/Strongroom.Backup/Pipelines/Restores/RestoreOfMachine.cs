using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>
/// Restores a machine onto a host: as a new one (AlternateLocation), or with its disks replaced (OriginalLocation).
/// </summary>
/// <remarks>
/// 1. Begin on the host, out of sight; what an earlier run of this job left there is removed, and if it had committed, only the job's end is missing.
/// 2. Write each disk; the store verifies every chunk on the way. 3. Ask the ledger whether this run still has the job. 4. Commit: the host has the old
/// state or the new one, whenever the server ends.
/// </remarks>
internal sealed class RestoreOfMachine(
    JobRun run, RestoreRequest request, ProtectedItem item, RecoveryPoint point, DiskTransfer transfer, IMachineFabric fabric, IMachineRestorer restorer, RestoreTargets targets, TimeProvider time)
{
    private readonly string _task = request.RecoveryType == RecoveryTypes.AlternateLocation ? RestoreTasks.Create : RestoreTasks.Update;

    public async Task<JobEnd> RunAsync(CancellationToken cancellationToken)
    {
        // Step 1.
        await run.ReportAsync(j => j.Begin(RestoreTasks.Transfer, time.GetUtcNow()), cancellationToken);
        await using var restore = await BeginAsync(cancellationToken);
        if (restore.IsCommitted) return End(restore);

        // Step 2.
        await transfer.RunAsync(disk => restore.CreateDiskAsync(AsBackedUp(disk), cancellationToken), cancellationToken);

        // Step 3.
        await run.ReportAsync(j => j.Complete(RestoreTasks.Transfer, time.GetUtcNow()).Begin(_task, time.GetUtcNow()), cancellationToken);

        // Step 4. From here on the job can only succeed or fail: a cancellation comes too late.
        cancellationToken.ThrowIfCancellationRequested();
        await restore.CommitAsync(CancellationToken.None);
        return End(restore);
    }

    private async Task<IMachineRestore> BeginAsync(CancellationToken cancellationToken)
    {
        var host = new HostRun(run.Job.Id, run.Claim.Fence);
        if (request.Target is { } target)
        {
            var group = await targets.RequireGroupAsync($"/subscriptions/{target.SubscriptionId}/resourceGroups/{target.ResourceGroup}", cancellationToken);
            await targets.RequireNetworkAsync(request.VirtualNetworkId, request.SubnetId, cancellationToken);
            // The job's id: the same machine for every run of the job, and another one than any that is there.
            return await restorer.CreateAsync(new(point.Machine, group.SubscriptionId, group.Name, target.Name, run.Job.Id, request.VirtualNetworkId, request.SubnetId), host, cancellationToken);
        }

        var machine = MachineId.TryParse(item.SourceResourceId, out var id) ? await fabric.FindProtectedAsync(id, point.Machine, cancellationToken) : null;
        return machine is null
            ? throw new MachineException(MachineProblem.NotFound, $"Virtual machine '{item.FriendlyName}' does not exist any more, so that its disks cannot be replaced.")
            : await restorer.ReplaceAsync(machine, host, cancellationToken);
    }

    private MachineDisk AsBackedUp(RecoveryPointDisk disk) =>
        new(disk.Lun, disk.Name, disk.SizeBytes, point.Machine.Disks.FirstOrDefault(d => d.Name == disk.Name)?.Format ?? "raw");

    private JobEnd End(IMachineRestore restore)
    {
        var now = time.GetUtcNow();
        var job = run.Job.Complete(RestoreTasks.Transfer, now).Complete(_task, now);
        if (restore.Notes.Count > 0) job = job.Detail(_task, string.Join(" ", restore.Notes));
        if (request.Target is { } target) job = job with { Properties = job.Properties.SetItem("Target resource group", target.ResourceGroup) };
        return new(transfer.End(job, now), JobOutcome.None);
    }
}
