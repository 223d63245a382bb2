using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Verification;

/// <summary>
/// Proves that a recovery point boots. It only reads: the point is held meanwhile, other jobs of the item go on beside it, and whatever it ends with the point stays as it is.
/// </summary>
/// <remarks>
/// 1. Hold the point and open its disks. 2. Boot. 3. The worker writes the result under its fence, if the point is still there.
/// A run that was cut off is begun anew; what it left on the host goes by the job's id.
/// </remarks>
public sealed class VerificationHandler(
    IItemRepository items, IRecoveryPointRepository points, IJobLedger ledger, IVaultStores stores, PointHolds holds, IEnumerable<IMachineVerifier> verifiers, TimeProvider time) : IJobHandler
{
    private const int MaxScreenshotBytes = 1 << 20;
    private const int MaxMessageLength = 1000;

    /// <summary>What a host may take beside the time that the machine has.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(3);

    private static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public string Operation => JobOperations.VerifyRestore;

    public async Task<JobEnd> RunAsync(JobRun run, CancellationToken cancellationToken)
    {
        var request = VerificationRequest.FromJson(run.Job.Request);
        try
        {
            return await VerifyAsync(run, request, cancellationToken);
        }
        catch (BackupRefusedException e)
        {
            // Item or point has gone meanwhile: there is nothing to keep a result with.
            return End(run, request, JobStates.Failed, new(VerificationStates.NotVerified, time.GetUtcNow()) { Message = e.Message }, default);
        }
        catch (MachineException e)
        {
            return End(run, request, JobStates.Failed, new(VerificationStates.NotVerified, time.GetUtcNow()) { Message = e.Message }, default);
        }
        catch (StoreException e)
        {
            var state = e.Kind is StoreErrorKind.Corrupt or StoreErrorKind.NotFound ? VerificationStates.Failed : VerificationStates.NotVerified;
            return End(run, request, JobStates.Failed, new(state, time.GetUtcNow()) { Message = $"The recovery point cannot be read: {e.Message}" }, default);
        }
        catch (IOException e)
        {
            return End(run, request, JobStates.Failed, new(VerificationStates.NotVerified, time.GetUtcNow()) { Message = $"The recovery point cannot be read: {e.Message}" }, default);
        }
    }

    /// <summary>All that can be explained is a result.</summary>
    public JobError? Explain(Exception exception) => null;

    private async Task<JobEnd> VerifyAsync(JobRun run, VerificationRequest request, CancellationToken cancellationToken)
    {
        await run.ReportAsync(j => j.Begin(VerificationTasks.Open, time.GetUtcNow()).Reset(VerificationTasks.Boot), cancellationToken);
        var item = await items.FindAsync(run.Job.ItemKey, cancellationToken)
            ?? throw new BackupRefusedException(BackupRefusal.ItemNotFound, $"'{run.Job.FriendlyName}' is not protected any more.");
        item.RequireNotDeleted();
        using var hold = holds.Hold(item, request.PointName);
        var point = await points.FindRestorableAsync(ledger, item, request.PointName, cancellationToken);
        var verifier = verifiers.FirstOrDefault(v => v.Kind == point.Machine.HostKind)
            ?? throw new MachineException(MachineProblem.NoHost, $"Machines of hosts of kind {point.Machine.HostKind} cannot be booted here.");
        var disks = await stores.OpenAsync(item.VaultKey, point, cancellationToken);
        try
        {
            await run.ReportAsync(j => j.Complete(VerificationTasks.Open, time.GetUtcNow()).Begin(VerificationTasks.Boot, time.GetUtcNow()), cancellationToken);
            var verified = await BootAsync(run, verifier, point, [.. point.Disks.Select((disk, n) => new VerifiedDisk(Describe(point, disk), disks[n]))], request, cancellationToken);
            return End(run, request, verified);
        }
        finally
        {
            foreach (var disk in disks) await disk.DisposeAsync();
        }
    }

    private static async Task<MachineVerification> BootAsync(
        JobRun run, IMachineVerifier verifier, RecoveryPoint point, IReadOnlyList<VerifiedDisk> disks, VerificationRequest request, CancellationToken cancellationToken)
    {
        var timeout = TimeSpan.FromSeconds(request.TimeoutSeconds);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Real time, never a tester's: machines boot in it.
        limit.CancelAfter(timeout + Grace);
        try
        {
            return await verifier.VerifyAsync(point.Machine, disks, new(timeout, request.ConsolePattern, request.HostId), new(run.Job.Id, run.Claim.Fence), limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new MachineException(MachineProblem.HostFailed, "The host did not end the attempt in time.");
        }
    }

    private static MachineDisk Describe(RecoveryPoint point, RecoveryPointDisk disk) =>
        new(disk.Lun, disk.Name, disk.SizeBytes, point.Machine.Disks.FirstOrDefault(d => d.Name == disk.Name)?.Format ?? "raw");

    private JobEnd End(JobRun run, VerificationRequest request, MachineVerification verified)
    {
        var isProven = verified.By is not null;
        var screenshot = verified.Screenshot.Length <= MaxScreenshotBytes && verified.Screenshot.Span.StartsWith(PngSignature) ? verified.Screenshot : default;
        var result = new PointVerification(isProven ? VerificationStates.ProvenBootable : VerificationStates.Failed, time.GetUtcNow())
        {
            By = verified.By,
            TookSeconds = Math.Round(verified.Took.TotalSeconds, 1),
            Message = verified.Message,
            HasScreenshot = !screenshot.IsEmpty,
        };
        return End(run, request, isProven ? JobStates.Completed : JobStates.Failed, result, screenshot);
    }

    private JobEnd End(JobRun run, VerificationRequest request, string state, PointVerification result, ReadOnlyMemory<byte> screenshot)
    {
        var now = result.At;
        if (result.Message.Length > MaxMessageLength) result = result with { Message = result.Message[..MaxMessageLength] };
        var job = run.Job with { State = state, EndedAt = now };
        job = state == JobStates.Completed
            ? job.Complete(VerificationTasks.Boot, now).Detail(VerificationTasks.Boot, result.Message)
            : job with
            {
                Errors = [JobErrors.VerificationFailed(result.Message)],
                Tasks = [.. job.Tasks.Select(t => t.State == JobStates.InProgress ? t with { State = JobStates.Failed, EndedAt = now } : t)],
            };
        return new(job, new JobOutcome { Verification = new(request.PointName, result, screenshot) });
    }
}
