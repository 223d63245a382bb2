using System.Collections.Immutable;

namespace Strongroom.Backup.Policies;

/// <summary>How long recovery points are kept: a rule for each tag, or null where the policy has none.</summary>
public sealed record RetentionRules(DailyRetention? Daily, WeeklyRetention? Weekly, MonthlyRetention? Monthly, YearlyRetention? Yearly);

/// <summary>Every scheduled point is kept for this many days.</summary>
public sealed record DailyRetention(int Days);

/// <summary>The first point of each of these weekdays is kept for this many weeks.</summary>
public sealed record WeeklyRetention(ImmutableArray<DayOfWeek> Days, int Weeks);

/// <summary>The first point of each of these days of a month is kept for this many months.</summary>
public sealed record MonthlyRetention(MonthDays Days, int Months);

/// <summary>The first point of each of these days, in these months (1 to 12), is kept for this many years.</summary>
public sealed record YearlyRetention(ImmutableArray<int> Months, MonthDays Days, int Years);

/// <summary>Some days of a month.</summary>
public abstract record MonthDays
{
    public abstract bool Contains(DateOnly day);

    private protected static int LastOf(DateOnly day) => DateTime.DaysInMonth(day.Year, day.Month);
}

/// <summary>Format Daily: by date.</summary>
/// <param name="Dates">1 to 31; a month that has no such day has none of its points.</param>
/// <param name="IsLast">The month's last day as well, whatever its date.</param>
public sealed record DatesOfMonth(ImmutableArray<int> Dates, bool IsLast) : MonthDays
{
    public override bool Contains(DateOnly day) => Dates.Contains(day.Day) || (IsLast && day.Day == LastOf(day));
}

/// <summary>Format Weekly: by weekday and its number in the month.</summary>
/// <param name="Weeks">1 to 4: the first to the fourth of that weekday in the month.</param>
/// <param name="IsLast">The last of that weekday in the month as well, be it the fourth or the fifth.</param>
public sealed record WeekdaysOfMonth(ImmutableArray<DayOfWeek> Days, ImmutableArray<int> Weeks, bool IsLast) : MonthDays
{
    public override bool Contains(DateOnly day) =>
        Days.Contains(day.DayOfWeek) && (Weeks.Contains((day.Day + 6) / 7) || (IsLast && day.Day > LastOf(day) - 7));
}
