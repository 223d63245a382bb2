using Strongroom.Backup.Items;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Policies;

/// <summary>The policy that an item is under, and what it makes of the item's recovery points.</summary>
public static class ItemTerms
{
    /// <summary>What the item's policy says; null when it has none, or one that cannot be read: then nothing fires and nothing is deleted.</summary>
    public static async Task<PolicyTerms?> FindTermsAsync(this IPolicyRepository policies, ProtectedItem item, CancellationToken cancellationToken) =>
        item.PolicyName.Length > 0 && await policies.FindAsync(item.VaultKey, item.PolicyName, cancellationToken) is { } policy ? TryRead(policy) : null;

    /// <summary>The policy read, or null when it cannot be.</summary>
    public static PolicyTerms? TryRead(BackupPolicy policy)
    {
        try { return PolicyTerms.Read(policy); }
        catch (BackupRefusedException) { return null; }
    }

    /// <summary>The points in their order, each with the time at which it expires; without a policy only what was asked for expires.</summary>
    public static IReadOnlyList<RecoveryPoint> WithExpiries(this IReadOnlyList<RecoveryPoint> points, PolicyTerms? terms) => terms is null
        ? points
        : [.. points.Zip(RetentionEvaluation.Evaluate(terms, [.. points.Select(p => p.ToFacts())]), (point, kept) => point with { ExpiresAt = kept.ExpiresAt })];
}
