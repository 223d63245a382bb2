using System.Collections.Immutable;

namespace Strongroom.Backup.Policies;

/// <summary>When a policy's backups are due, in local time of its zone.</summary>
public abstract record PolicySchedule
{
    // The calendar's ends are left alone: there is no day before the first and none after the last.
    private static readonly DateTimeOffset s_first = new(2, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_last = new(9998, 12, 31, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// The instants at which backups are due: later than <paramref name="after"/>, not later than <paramref name="until"/>, ascending, each once.
    /// A local time that daylight saving leaves out is due at the first instant after the gap; one that comes twice is due at the first.
    /// </summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset after, DateTimeOffset until, TimeZoneInfo zone)
    {
        if (after < s_first) after = s_first;
        if (until > s_last) until = s_last;
        if (after >= until) yield break;
        // Two days early: a window may reach into the next day, and the date line may have taken a day away.
        var end = LocalTimes.Day(until, zone).AddDays(1);
        var previous = after;
        for (var day = LocalTimes.Day(after, zone).AddDays(-2); day <= end; day = day.AddDays(1))
        {
            foreach (var local in On(day))
            {
                var due = LocalTimes.Instant(local, zone);
                if (due > until) yield break;
                if (due <= previous) continue;
                yield return previous = due;
            }
        }
    }

    /// <summary>The local times that belong to a day, ascending; none is later than the next day's first.</summary>
    protected abstract IEnumerable<DateTime> On(DateOnly day);
}

/// <summary>Every day at these times.</summary>
/// <param name="Times">Ascending, at least one.</param>
public sealed record DailySchedule(ImmutableArray<TimeOnly> Times) : PolicySchedule
{
    protected override IEnumerable<DateTime> On(DateOnly day) => Times.Select(day.ToDateTime);
}

/// <summary>On these days of the week at these times.</summary>
/// <param name="Days">At least one.</param>
/// <param name="Times">Ascending, at least one.</param>
public sealed record WeeklySchedule(ImmutableArray<DayOfWeek> Days, ImmutableArray<TimeOnly> Times) : PolicySchedule
{
    protected override IEnumerable<DateTime> On(DateOnly day) => Days.Contains(day.DayOfWeek) ? Times.Select(day.ToDateTime) : [];
}

/// <summary>Every day in a window: at its start, then every <paramref name="IntervalHours"/> hours of the clock, the window's end included.</summary>
/// <param name="IntervalHours">4, 6, 8 or 12.</param>
/// <param name="WindowHours">From the interval to 24; the window may reach into the next day.</param>
public sealed record HourlySchedule(TimeOnly WindowStart, int IntervalHours, int WindowHours) : PolicySchedule
{
    protected override IEnumerable<DateTime> On(DateOnly day)
    {
        var start = day.ToDateTime(WindowStart);
        for (var hours = 0; hours <= WindowHours && hours < 24; hours += IntervalHours)
            yield return start.AddHours(hours);
    }
}
