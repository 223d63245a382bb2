namespace Strongroom.Backup.Policies;

/// <summary>What one policy keeps, beside another.</summary>
public static class PolicyComparison
{
    // Any fortnight will do: no schedule is longer than a week.
    private static readonly DateTimeOffset s_start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The lowest tag whose recovery points would be kept for a shorter time; null: none. Without a rule they are kept as the next lower tag says.</summary>
    public static string? ShorterTag(RetentionRules had, RetentionRules has) =>
        Shorter("daily", had.Daily?.Days, has.Daily?.Days) ?? Shorter("weekly", had.Weekly?.Weeks, has.Weekly?.Weeks)
        ?? Shorter("monthly", had.Monthly?.Months, has.Monthly?.Months) ?? Shorter("yearly", had.Yearly?.Years, has.Yearly?.Years);

    /// <summary>Whether a policy keeps points or snapshots for a shorter time than another, or leaves more time between two backups.</summary>
    /// <remarks>Policies for databases protect nothing here. What cannot be read counts as weaker.</remarks>
    public static bool IsWeaker(BackupPolicy before, BackupPolicy after)
    {
        if (before.Kind is null || after.Kind is null) return false;
        if (ItemTerms.TryRead(before) is not { } had || ItemTerms.TryRead(after) is not { } has) return true;
        // Days of snapshots that are all there is are not those of snapshots beside points in the vault.
        var hasShorterSnapshots = has.IsVaultTier == had.IsVaultTier && has.InstantDays < had.InstantDays;
        return ShorterTag(had.Retention, has.Retention) is not null || hasShorterSnapshots || (had.IsVaultTier && !has.IsVaultTier) || LongestGap(has.Schedule) > LongestGap(had.Schedule);
    }

    private static TimeSpan LongestGap(PolicySchedule schedule)
    {
        DateTimeOffset[] due = [.. schedule.Between(s_start, s_start.AddDays(15), TimeZoneInfo.Utc)];
        return due.Zip(due.Skip(1), (one, next) => next - one).Max();
    }

    private static string? Shorter(string tag, int? had, int? has) => had > (has ?? 0) ? tag : null;
}
