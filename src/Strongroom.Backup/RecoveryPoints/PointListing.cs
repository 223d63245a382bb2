using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.RecoveryPoints;

/// <summary>Shows the recovery points of an item with the tiers that they are in: those in the vault, and the one that is on its way there.</summary>
/// <remarks>
/// What is on its way is read first: when it arrives between the two looks it is found in the vault, so that it is missing at no moment.
/// For the eye only: what deletes, keeps or restores reads <see cref="IRecoveryPointRepository"/>.
/// </remarks>
public sealed class PointListing(IRecoveryPointRepository points, IJobLedger ledger, IPolicyRepository policies, TimeProvider time)
{
    public async Task<ListedPoint?> FindAsync(ProtectedItem item, string name, CancellationToken cancellationToken)
    {
        var moving = await FindMovingAsync(item, cancellationToken);
        if (await points.FindAsync(item.Key, name, cancellationToken) is { } point)
            return ListedPoint.Of(point, await policies.FindTermsAsync(item, cancellationToken), time.GetUtcNow());
        return moving?.Name == name ? ListedPoint.Of(moving) : null;
    }

    /// <summary>Newest first, at most <paramref name="count"/> of those that are older than the point named <paramref name="after"/> and were taken in the given time.</summary>
    public async Task<IReadOnlyList<ListedPoint>> ListAsync(
        ProtectedItem item, DateTimeOffset? from, DateTimeOffset? until, string? after, int count, CancellationToken cancellationToken)
    {
        var moving = await FindMovingAsync(item, cancellationToken);
        var found = await points.ListAsync(item.Key, from, until, after, count, cancellationToken);
        var (terms, now) = (await policies.FindTermsAsync(item, cancellationToken), time.GetUtcNow());
        var listed = found.Select(p => ListedPoint.Of(p, terms, now));
        var isShown = moving is not null && !(moving.Time < from) && !(moving.Time > until)
            && (after is null || string.CompareOrdinal(moving.Name, after) < 0) && found.All(p => p.Name != moving.Name);
        // Its name is the greatest: it was given when all the others were there.
        return [.. (isShown ? listed.Prepend(ListedPoint.Of(moving!)) : listed).Take(count)];
    }

    /// <summary>How many there are, and how old.</summary>
    public async Task<(int Count, DateTimeOffset? Oldest, DateTimeOffset? OldestInVault)> SummarizeAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        var moving = await FindMovingAsync(item, cancellationToken);
        var inVault = await points.SummarizeAsync(item.Key, cancellationToken);
        // A point that arrived between the two looks has been counted.
        var isCounted = moving is null || inVault.Newest is { } newest && string.CompareOrdinal(newest, moving.Name) >= 0;
        return (inVault.Count + (isCounted ? 0 : 1), inVault.Oldest ?? moving?.Time, inVault.Oldest);
    }

    /// <summary>Only machines': a point of a share that is listed can be restored, and nothing in it would say that this one cannot.</summary>
    private async Task<PointInTransfer?> FindMovingAsync(ProtectedItem item, CancellationToken cancellationToken) =>
        item.Kind == ItemKind.VirtualMachine ? await ledger.FindInTransferAsync(item.Key, cancellationToken) : null;
}
