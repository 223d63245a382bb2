using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Store;

namespace Strongroom.Backup.Vaults;

/// <summary>How vaults are kept in order.</summary>
public sealed record MaintenanceOptions
{
    /// <summary>From the end of one round to the next; zero: never. The first is a quarter of an hour after the start.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromHours(6);

    /// <summary>How long packs that nobody needs stay condemned, at most 30 days.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromHours(24);

    /// <summary>True: the storage itself retains what locked snapshots of locked vaults need. Cannot be taken back, so it is off unless asked for.</summary>
    public bool Retains { get; init; }
}

/// <summary>Gives back the room of what nobody needs any more, in all vaults, one after another.</summary>
/// <remarks>A vault that cannot be reached or is damaged is told in the log and keeps no other one from its turn.</remarks>
public sealed class VaultMaintenance(
    IVaultRepository vaults, IRecoveryPointRepository points, IVaultStores stores, StoreRules rules, MaintenanceOptions options, TimeProvider time, ILogger<VaultMaintenance> log) : BackgroundService
{
    private static readonly TimeSpan First = TimeSpan.FromMinutes(15);

    /// <summary>One round through all vaults.</summary>
    public async Task RunOnceAsync(CancellationToken cancellationToken)
    {
        foreach (var key in await vaults.ListKeysAsync(cancellationToken))
        {
            try
            {
                if (await stores.FindAsync(key, cancellationToken) is { } store) await RunAsync(key, store, cancellationToken);
            }
            catch (StoreException e) when (e.Kind == StoreErrorKind.Conflict)
            {
                log.LogInformation("Vault {VaultKey} was changed while it was collected; the next round tries again", key);
            }
            catch (StoreException e) when (e.Kind == StoreErrorKind.Corrupt)
            {
                log.LogError(e, "The store of vault {VaultKey} is damaged; it gives back no room", key);
            }
            catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
            {
                log.LogWarning(e, "The store of vault {VaultKey} cannot be kept in order now; the next round tries again", key);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Every == TimeSpan.Zero) return;
        try
        {
            await Task.Delay(First, time, stoppingToken);
            while (true)
            {
                try { await RunOnceAsync(stoppingToken); }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogError(e, "The vaults cannot be kept in order now; the next round tries again");
                }

                await Task.Delay(options.Every, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task RunAsync(Guid key, VaultStore store, CancellationToken cancellationToken)
    {
        await rules.TryFollowAsync(key, null, cancellationToken);
        try
        {
            var purged = await store.Governance.PurgeAsync(cancellationToken);
            if (purged.Count > 0) log.LogInformation("Purged {Count} deleted snapshots of vault {VaultKey}, whose time has come", purged.Count, key);
        }
        catch (StoreException e) when (e.Kind == StoreErrorKind.Refused)
        {
            // A clock that is not trusted keeps what was deleted; what was purged before can be collected all the same.
            log.LogWarning(e, "Deleted snapshots of vault {VaultKey} wait", key);
        }

        if (options.Retains) await RetainAsync(key, store, cancellationToken);
        var listed = await points.ListSnapshotIdsAsync(key, cancellationToken);
        var report = await store.CollectAsync([.. listed.Select(id => new SnapshotId(id))], new() { Grace = options.Grace }, cancellationToken);
        if (report.PacksDeleted > 0 || report.PacksCondemned > 0)
        {
            log.LogInformation("Vault {VaultKey}: {Deleted} packs of {Bytes} bytes removed, {Condemned} condemned, {Kept} kept",
                key, report.PacksDeleted, report.BytesDeleted, report.PacksCondemned, report.PacksKept);
        }
    }

    /// <summary>Has the storage itself keep what locked snapshots need.</summary>
    private async Task RetainAsync(Guid key, VaultStore store, CancellationToken cancellationToken)
    {
        try
        {
            var report = await store.ExtendRetentionAsync(new(), cancellationToken);
            if (report.State == RetentionState.NotAvailable)
                log.LogWarning("Vault {VaultKey} is locked, but its storage retains nothing by itself: {Why}", key, report.Detail);
            else if (report.BlobsExtended > 0)
                log.LogInformation("Vault {VaultKey}: {Count} blobs retained until {Until} by {What}", key, report.BlobsExtended, report.Until, report.Detail);
            foreach (var problem in report.Problems) log.LogError("Vault {VaultKey}: {Problem}", key, problem);
        }
        catch (StoreException e) when (e.Kind == StoreErrorKind.Refused)
        {
            log.LogWarning(e, "What vault {VaultKey} keeps cannot be retained by its storage now", key);
        }
    }
}
