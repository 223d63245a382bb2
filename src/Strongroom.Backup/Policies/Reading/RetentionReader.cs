using System.Collections.Immutable;
using System.Globalization;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>Reads <c>retentionPolicy</c> of a policy for virtual machines or file shares.</summary>
internal static class RetentionReader
{
    /// <param name="at">The time of the day that every retentionTimes must name; null: any, or none.</param>
    public static RetentionRules Read(PolicyNode node, PolicySchedule schedule, TimeOnly? at, RetentionLimits limits)
    {
        var type = node.RequiredText("retentionPolicyType");
        if (type != "LongTermRetentionPolicy")
            throw PolicyRefusals.Input($"'{node.PathOf("retentionPolicyType")}' is '{PolicyWords.Cut(type)}'; it must be LongTermRetentionPolicy.");
        var rules = new RetentionRules(
            Rule(node, "dailySchedule", at, n => new DailyRetention(Count(n, limits.Days))),
            Rule(node, "weeklySchedule", at, n => new WeeklyRetention(n.Days("daysOfTheWeek"), Count(n, limits.Weeks))),
            Rule(node, "monthlySchedule", at, n => new MonthlyRetention(DaysOfMonth(n), Count(n, limits.Months))),
            Rule(node, "yearlySchedule", at, n => Yearly(n, limits.Years)));
        RetentionAgreement.Check(rules, schedule, node.Path);
        return rules;
    }

    private static T? Rule<T>(PolicyNode node, string name, TimeOnly? at, Func<PolicyNode, T> read)
        where T : class
    {
        if (node.Object(name) is not { } rule) return null;
        var times = rule.Times("retentionTimes");
        if (at is not null && times.IsEmpty) throw rule.Missing("retentionTimes");
        if (times.Any(t => at is not null && t != at))
            throw PolicyRefusals.Input($"'{rule.PathOf("retentionTimes")}' must be the time of the schedule, {at!.Value.ToString("HH:mm", CultureInfo.InvariantCulture)}.");
        return read(rule);
    }

    private static YearlyRetention Yearly(PolicyNode node, RetentionLimit years) =>
        new([.. node.Words<Month>("monthsOfYear", "a month").Select(m => (int)m)], DaysOfMonth(node), Count(node, years));

    private static MonthDays DaysOfMonth(PolicyNode node) => node.RequiredText("retentionScheduleFormatType") switch
    {
        "Daily" => Dates(node.RequiredObject("retentionScheduleDaily")),
        "Weekly" => Weekdays(node.RequiredObject("retentionScheduleWeekly")),
        var other => throw PolicyRefusals.Input($"'{node.PathOf("retentionScheduleFormatType")}' is '{PolicyWords.Cut(other)}'; it must be Daily or Weekly."),
    };

    private static DatesOfMonth Dates(PolicyNode node)
    {
        var days = node.Objects("daysOfTheMonth");
        if (days.IsEmpty) throw node.Missing("daysOfTheMonth");
        var isLast = days.Count(d => d.Flag("isLast"));
        var dates = days.Where(d => !d.Flag("isLast")).Select(Date).Order().ToImmutableArray();
        return isLast <= 1 && dates.Distinct().Count() == dates.Length
            ? new(dates, isLast == 1)
            : throw PolicyRefusals.Input($"'{node.PathOf("daysOfTheMonth")}' names a day twice.");
    }

    private static int Date(PolicyNode day) => day.RequiredInteger("date") is var date and >= 1 and <= 31
        ? date
        : throw PolicyRefusals.Input($"'{day.PathOf("date")}' must be 1 to 31, or the day must say isLast.");

    private static WeekdaysOfMonth Weekdays(PolicyNode node)
    {
        var weeks = node.Words<Week>("weeksOfTheMonth", "a week of the month");
        return new(node.Days("daysOfTheWeek"), [.. weeks.Where(w => w != Week.Last).Select(w => (int)w)], weeks.Contains(Week.Last));
    }

    private static int Count(PolicyNode node, RetentionLimit limit)
    {
        var duration = node.RequiredObject("retentionDuration");
        var unit = duration.RequiredText("durationType");
        if (unit != limit.Unit) throw PolicyRefusals.Input($"'{duration.PathOf("durationType")}' is '{PolicyWords.Cut(unit)}'; it must be {limit.Unit}.");
        var count = duration.RequiredInteger("count");
        return count >= limit.Least && count <= limit.Most
            ? count
            : throw PolicyRefusals.Retention($"'{duration.PathOf("count")}' is {count}; {limit.Least} to {limit.Most} {limit.Unit.ToLowerInvariant()} are supported.");
    }

    private enum Week { First = 1, Second, Third, Fourth, Last }

    private enum Month { January = 1, February, March, April, May, June, July, August, September, October, November, December }
}
