namespace Strongroom.Backup.Policies;

/// <summary>Local times of a zone as instants. Daylight saving takes hours away and gives them twice; nothing here is lost or done twice for it.</summary>
internal static class LocalTimes
{
    // Wider than any offset from UTC (-12 to +14 hours).
    private static readonly TimeSpan s_reach = TimeSpan.FromHours(15);

    /// <summary>
    /// The first instant at which the clocks of the zone show <paramref name="local"/> or later: in a gap the first instant after it, in an overlap the first of the two.
    /// </summary>
    /// <remarks>Never runs backwards: a later local time has the same instant or a later one. Only conversions from UTC are asked of the zone, which know of every change, of the date line too.</remarks>
    public static DateTimeOffset Instant(DateTime local, TimeZoneInfo zone)
    {
        var asUtc = new DateTimeOffset(local, TimeSpan.Zero);
        var before = zone.GetUtcOffset(asUtc - s_reach);
        var after = zone.GetUtcOffset(asUtc + s_reach);
        if (before == after) return asUtc - before;
        var change = Change(asUtc - s_reach, asUtc + s_reach, zone);
        var early = asUtc - before;
        if (early < change) return early;
        var late = asUtc - after;
        return late > change ? late : change;
    }

    /// <summary>What the zone's clocks show at an instant.</summary>
    public static DateTime Local(DateTimeOffset instant, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(instant, zone).DateTime;

    /// <summary>The local day of an instant.</summary>
    public static DateOnly Day(DateTimeOffset instant, TimeZoneInfo zone) => DateOnly.FromDateTime(Local(instant, zone));

    /// <summary>The instant, to the second, from which on the offset is no longer what it was at <paramref name="from"/>.</summary>
    private static DateTimeOffset Change(DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone)
    {
        var old = zone.GetUtcOffset(from);
        long low = from.ToUnixTimeSeconds(), high = to.ToUnixTimeSeconds();
        while (high - low > 1)
        {
            var middle = low + (high - low) / 2;
            if (zone.GetUtcOffset(DateTimeOffset.FromUnixTimeSeconds(middle)) == old) low = middle;
            else high = middle;
        }

        return DateTimeOffset.FromUnixTimeSeconds(high);
    }
}
