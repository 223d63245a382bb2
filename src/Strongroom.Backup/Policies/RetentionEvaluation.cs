namespace Strongroom.Backup.Policies;

/// <summary>What a recovery point is kept for.</summary>
[Flags]
public enum RetentionTags
{
    None = 0,
    Daily = 1,
    Weekly = 2,
    Monthly = 4,
    Yearly = 8,
}

/// <summary>What retention must know of a recovery point.</summary>
/// <param name="Time">When its snapshot was taken.</param>
/// <param name="ExpiresAt">For a point taken on demand: when it expires, or null when nobody said (then after <see cref="RetentionEvaluation.OnDemandDays"/> days).</param>
/// <param name="Tags">The tags that it was given when it was taken, or null when it has none yet: then they come from its place in the calendar of the policy as it is now.</param>
/// <param name="DueAt">When its backup was due, where that is known: a backup that began late keeps the place that it was meant for. Null: <paramref name="Time"/>.</param>
public sealed record PointFacts(string Name, DateTimeOffset Time, bool IsOnDemand, DateTimeOffset? ExpiresAt, RetentionTags? Tags = null, DateTimeOffset? DueAt = null);

/// <summary>How long a recovery point is kept.</summary>
/// <param name="ExpiresAt">From this instant on it may go. The point's own time when the policy keeps it for nothing any more.</param>
/// <param name="Tags">Its tags, to be kept with it; none for a point taken on demand.</param>
public sealed record PointRetention(string Name, DateTimeOffset ExpiresAt, RetentionTags Tags);

/// <summary>Which recovery points a policy keeps, and until when.</summary>
/// <remarks>
/// Pure: no clock, no order of calls. Who deletes decides by the clock, and never deletes an item's last point while it is protected.
/// Tags are given once; durations are those of the policy as it is now, so that a changed policy applies to points that exist.
/// </remarks>
public static class RetentionEvaluation
{
    /// <summary>How long a point taken on demand is kept when nobody said, in days: what the service does.</summary>
    public const int OnDemandDays = 30;

    /// <summary>The retention of an item's points, in the order given.</summary>
    /// <param name="points">All points that the item has: a point without tags is the first of its day only among these.</param>
    public static IReadOnlyList<PointRetention> Evaluate(PolicyTerms terms, IReadOnlyList<PointFacts> points)
    {
        var firsts = FirstOfDays(terms.TimeZone, points);
        var retentions = new List<PointRetention>(points.Count);
        foreach (var point in points)
        {
            if (point.IsOnDemand)
            {
                retentions.Add(new(point.Name, point.ExpiresAt ?? point.Time.AddDays(OnDemandDays), RetentionTags.None));
                continue;
            }

            var tags = point.Tags ?? TagsOf(terms, point, firsts);
            retentions.Add(new(point.Name, Expiry(terms, point.Time, tags), tags));
        }

        return retentions;
    }

    /// <summary>When a scheduled point of these tags expires: the longest of what its tags keep it for.</summary>
    public static DateTimeOffset Expiry(PolicyTerms terms, DateTimeOffset time, RetentionTags tags)
    {
        var local = LocalTimes.Local(time, terms.TimeZone);
        var until = local;
        // From the lowest up: a tag that the policy has no rule for any more falls to the next lower one's.
        DateTime? kept = null;
        foreach (var (tag, end) in Ends(terms.Retention, local))
        {
            kept = end ?? kept;
            if (tags.HasFlag(tag) && kept > until) until = kept.Value;
        }

        return until == local ? time : LocalTimes.Instant(until, terms.TimeZone);
    }

    private static IEnumerable<(RetentionTags Tag, DateTime? End)> Ends(RetentionRules rules, DateTime local) =>
    [
        (RetentionTags.Daily, rules.Daily is { } daily ? local.AddDays(daily.Days) : null),
        (RetentionTags.Weekly, rules.Weekly is { } weekly ? local.AddDays(7 * weekly.Weeks) : null),
        (RetentionTags.Monthly, rules.Monthly is { } monthly ? local.AddMonths(monthly.Months) : null),
        (RetentionTags.Yearly, rules.Yearly is { } yearly ? local.AddYears(yearly.Years) : null),
    ];

    private static RetentionTags TagsOf(PolicyTerms terms, PointFacts point, Dictionary<DateOnly, PointFacts> firsts)
    {
        var rules = terms.Retention;
        // What every scheduled point is kept for: with a weekly schedule there are no daily ones.
        var tags = rules.Daily is null ? RetentionTags.Weekly : RetentionTags.Daily;
        var day = LocalTimes.Day(Place(point), terms.TimeZone);
        if (!ReferenceEquals(firsts[day], point)) return tags;
        if (rules.Weekly?.Days.Contains(day.DayOfWeek) == true) tags |= RetentionTags.Weekly;
        if (rules.Monthly?.Days.Contains(day) == true) tags |= RetentionTags.Monthly;
        if (rules.Yearly is { } yearly && yearly.Months.Contains(day.Month) && yearly.Days.Contains(day)) tags |= RetentionTags.Yearly;
        return tags;
    }

    private static Dictionary<DateOnly, PointFacts> FirstOfDays(TimeZoneInfo zone, IReadOnlyList<PointFacts> points)
    {
        var firsts = new Dictionary<DateOnly, PointFacts>();
        foreach (var point in points.Where(p => !p.IsOnDemand).OrderBy(Place).ThenBy(p => p.Time).ThenBy(p => p.Name, StringComparer.Ordinal))
            firsts.TryAdd(LocalTimes.Day(Place(point), zone), point);
        return firsts;
    }

    private static DateTimeOffset Place(PointFacts point) => point.DueAt ?? point.Time;
}
