using Microsoft.Extensions.Logging;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Lifecycle;

/// <summary>Deletes the recovery points of an item that have expired.</summary>
/// <remarks>
/// 1. The store is asked whether a lock or a rule keeps one; such a point stays listed. 2. One transaction takes the others off the list and notes their snapshots
/// with the item. 3. The store forgets these. 4. The note is removed. A run that is cut off is finished by the next one, from the note: what is listed can be
/// restored at every moment, and nothing is deleted because nobody seems to know it. The room comes back with the next collection of the vault.
/// </remarks>
public sealed class PointPruning(
    IItemAgenda agenda, IItemRepository items, IRecoveryPointRepository points, IVaultRepository vaults, IVaultStores stores, PointHolds holds, ILogger<PointPruning> log)
{
    /// <summary>What a lock or the store's rules keep is tried again after this time.</summary>
    public static readonly TimeSpan KeptRetry = TimeSpan.FromDays(1);

    /// <summary>A store that does not answer, or is damaged, is asked again after this time; so is a point that is mounted.</summary>
    public static readonly TimeSpan FailedRetry = TimeSpan.FromHours(1);

    /// <returns>The item as it is written now, and when it is to be pruned again; null: when something is written of it.</returns>
    public async Task<(ProtectedItem Item, DateTimeOffset? Next)> RunAsync(ProtectedItem item, PolicyTerms? terms, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<IDisposable> doomed = [];
        try
        {
            var isPruned = terms is not null && item.IsPruned;
            if (item.DoomedSnapshots.IsEmpty && !isPruned) return (item, null);
            var listed = (await points.ListAsync(item.Key, cancellationToken)).WithExpiries(terms);
            if (!item.DoomedSnapshots.IsEmpty && await ForgetAsync(item, listed, cancellationToken) is var forgotten)
            {
                if (forgotten is null) return (item, now);
                item = forgotten;
            }

            if (!isPruned || await vaults.FindAsync(item.VaultKey, cancellationToken) is not { } vault) return (item, null);
            var (expired, next) = Expired(listed, vault.Config, now);
            // What somebody looks into stays until they are done.
            if (expired.RemoveAll(p => !TryDoom(item, p, doomed)) > 0 && !(next < now + FailedRetry)) next = now + FailedRetry;
            if (expired.Count == 0) return (item, next);

            var deletable = await DeletableAsync(item, expired, cancellationToken);
            if (deletable.Count < expired.Count && !(next < now + KeptRetry)) next = now + KeptRetry;
            if (deletable.Count == 0) return (item, next);
            var unlisting = item with
            {
                DoomedSnapshots = [.. deletable.Select(p => p.SnapshotId)],
                LastRecoveryPointTime = listed.Except(deletable).Max(p => p.Time),
            };
            if (!await agenda.TryUnlistAsync(unlisting, [.. deletable.Select(p => p.Name)], cancellationToken)) return (item, now);
            log.LogInformation("{Count} recovery points of {Item} have expired", deletable.Count, item.NativeName);
            item = unlisting with { Version = unlisting.Version + 1 };
            return await ForgetAsync(item, [.. listed.Except(deletable)], cancellationToken) is { } done ? (done, next) : (item, now);
        }
        catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
        {
            log.LogWarning(e, "Expired recovery points of {Item} cannot be deleted now", item.NativeName);
            return (item, now + FailedRetry);
        }
        finally
        {
            foreach (var point in doomed) point.Dispose();
        }
    }

    /// <summary>From here on until it is off the list nobody begins to look into it.</summary>
    private bool TryDoom(ProtectedItem item, RecoveryPoint point, List<IDisposable> doomed)
    {
        if (holds.TryDoom(item.Key, point.Name) is not { } mark) return false;
        doomed.Add(mark);
        return true;
    }

    /// <summary>The points that have expired, and when the next one does. If all have, the newest stays.</summary>
    /// <param name="listed">Newest first, each with its expiry.</param>
    /// <param name="config">The vault's settings: an immutable vault may keep points for longer.</param>
    /// <param name="now">The time.</param>
    internal static (List<RecoveryPoint> Expired, DateTimeOffset? Next) Expired(IReadOnlyList<RecoveryPoint> listed, VaultConfig config, DateTimeOffset now)
    {
        DateTimeOffset? next = null;
        var expired = new List<RecoveryPoint>();
        foreach (var point in listed)
        {
            if (point.ExpiresAt is not { } at) continue;
            if (config.IsImmutable && point.Time.AddDays(config.ImmutabilityDays) is var kept && kept > at) at = kept;
            if (at <= now) expired.Add(point);
            else if (!(next < at)) next = at;
        }

        if (expired.Count == listed.Count && expired.Count > 0) expired.RemoveAt(0);
        return (expired, next);
    }

    private async Task<List<RecoveryPoint>> DeletableAsync(ProtectedItem item, List<RecoveryPoint> expired, CancellationToken cancellationToken)
    {
        var store = await StoreAsync(item, cancellationToken);
        var deletable = new List<RecoveryPoint>(expired.Count);
        foreach (var point in expired)
        {
            try
            {
                store.Governance.RequireDeletable(new(point.SnapshotId));
                deletable.Add(point);
            }
            catch (StoreException e) when (e.Kind == StoreErrorKind.Locked)
            {
                log.LogInformation("Recovery point {Point} of {Item} has expired and stays: {Why}", point.Name, item.NativeName, e.Message);
            }
        }

        return deletable;
    }

    /// <returns>The item without the note, or null when it was written meanwhile.</returns>
    private async Task<ProtectedItem?> ForgetAsync(ProtectedItem item, IReadOnlyList<RecoveryPoint> listed, CancellationToken cancellationToken)
    {
        var store = await StoreAsync(item, cancellationToken);
        // A catalogue that was made again from the store lists what it found there.
        foreach (var id in item.DoomedSnapshots.Except(listed.Select(p => p.SnapshotId))) await store.DeleteSnapshotAsync(new(id), cancellationToken);
        var done = item with { DoomedSnapshots = [] };
        return await items.TryUpdateAsync(done, cancellationToken) ? done with { Version = done.Version + 1 } : null;
    }

    private async Task<VaultStore> StoreAsync(ProtectedItem item, CancellationToken cancellationToken) =>
        await stores.FindAsync(item.VaultKey, cancellationToken) ?? throw new IOException("The vault's store is not there.");
}
