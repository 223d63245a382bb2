using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Pipelines;

/// <summary>What a recovery point that is about to be made is kept for.</summary>
/// <param name="Tags">Null for a point taken on demand, or without a policy.</param>
/// <param name="ExpiresAt">When it expires as things are; null: not known.</param>
internal sealed record PointPlan(RetentionTags? Tags, DateTimeOffset? ExpiresAt)
{
    /// <param name="takenAt">When its snapshot was taken.</param>
    public static async Task<PointPlan> MakeAsync(
        ProtectedItem item, BackupRequest request, DateTimeOffset takenAt, IPolicyRepository policies, IRecoveryPointRepository points, CancellationToken cancellationToken)
    {
        if (request.DueAt is null) return new(null, request.ExpiresAt ?? takenAt.AddDays(RetentionEvaluation.OnDemandDays));
        if (await policies.FindTermsAsync(item, cancellationToken) is not { } terms) return new(null, request.ExpiresAt);
        var earlier = await points.ListAsync(item.Key, cancellationToken);
        var planned = new PointFacts("", takenAt, false, null, null, request.DueAt);
        var kept = RetentionEvaluation.Evaluate(terms, [.. earlier.Select(p => p.ToFacts()), planned])[^1];
        return new(kept.Tags, kept.ExpiresAt);
    }
}
