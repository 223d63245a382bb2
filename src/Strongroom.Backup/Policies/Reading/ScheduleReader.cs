using System.Collections.Immutable;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>Reads <c>schedulePolicy</c> of a policy for virtual machines or file shares.</summary>
internal static class ScheduleReader
{
    /// <summary>The schedule and the time of the day that the retention must name: that of the day's first backup.</summary>
    public static (PolicySchedule Schedule, TimeOnly First) Read(PolicyNode node, bool isEnhanced)
    {
        var expected = isEnhanced ? "SimpleSchedulePolicyV2" : "SimpleSchedulePolicy";
        var type = node.RequiredText("schedulePolicyType");
        if (type != expected)
            throw PolicyRefusals.Input($"'{node.PathOf("schedulePolicyType")}' is '{PolicyWords.Cut(type)}'; a policy of type {(isEnhanced ? "V2" : "V1")} takes {expected}.");
        return (node.RequiredText("scheduleRunFrequency"), isEnhanced) switch
        {
            ("Daily", false) => Daily(node),
            ("Daily", true) => Daily(node.RequiredObject("dailySchedule")),
            ("Weekly", false) => Weekly(node),
            ("Weekly", true) => Weekly(node.RequiredObject("weeklySchedule")),
            ("Hourly", true) => Hourly(node.RequiredObject("hourlySchedule")),
            ("Hourly", false) => throw PolicyRefusals.Input("Hourly backups need a policy of policyType V2."),
            var (other, _) => throw PolicyRefusals.Input($"'{node.PathOf("scheduleRunFrequency")}' is '{PolicyWords.Cut(other)}'; it must be Daily, Weekly{(isEnhanced ? " or Hourly" : "")}."),
        };
    }

    /// <summary>The schedule of shares: daily, or hourly in a window; and its first time of the day.</summary>
    public static (PolicySchedule Schedule, TimeOnly First) ReadOfShares(PolicyNode node)
    {
        if (node.RequiredText("schedulePolicyType") is var type && type != "SimpleSchedulePolicy")
            throw PolicyRefusals.Input($"'{node.PathOf("schedulePolicyType")}' is '{PolicyWords.Cut(type)}'; file shares take SimpleSchedulePolicy.");
        return node.RequiredText("scheduleRunFrequency") switch
        {
            "Daily" => Daily(node),
            "Hourly" => Hourly(node.RequiredObject("hourlySchedule")),
            var other => throw PolicyRefusals.Input($"'{node.PathOf("scheduleRunFrequency")}' is '{PolicyWords.Cut(other)}'; file shares take Daily or Hourly."),
        };
    }

    private static (PolicySchedule Schedule, TimeOnly First) Daily(PolicyNode node)
    {
        if (!node.Texts("scheduleRunDays").IsEmpty) throw PolicyRefusals.Input($"A daily schedule runs every day: '{node.PathOf("scheduleRunDays")}' has no place in it.");
        var times = RunTimes(node);
        return (new DailySchedule(times), times[0]);
    }

    private static (PolicySchedule Schedule, TimeOnly First) Weekly(PolicyNode node)
    {
        if (node.Integer("scheduleWeeklyFrequency") is not (null or 0 or 1))
            throw PolicyRefusals.Input($"'{node.PathOf("scheduleWeeklyFrequency")}' must be 0 or 1: virtual machines are backed up every week.");
        var days = node.Days("scheduleRunDays");
        var times = RunTimes(node);
        return (new WeeklySchedule(days, times), times[0]);
    }

    internal static (PolicySchedule Schedule, TimeOnly First) Hourly(PolicyNode node)
    {
        var interval = node.RequiredInteger("interval");
        if (interval is not (4 or 6 or 8 or 12)) throw PolicyRefusals.Input($"'{node.PathOf("interval")}' is {interval}; it must be 4, 6, 8 or 12 hours.");
        var window = node.RequiredInteger("scheduleWindowDuration");
        if (window < interval || window > 24) throw PolicyRefusals.Input($"'{node.PathOf("scheduleWindowDuration")}' is {window}; it must be between the interval ({interval}) and 24 hours.");
        var start = node.Time("scheduleWindowStartTime");
        return (new HourlySchedule(start, interval, window), start);
    }

    private static ImmutableArray<TimeOnly> RunTimes(PolicyNode node)
    {
        var times = node.Times("scheduleRunTimes");
        return times.Length == 1 ? times : throw PolicyRefusals.Input($"'{node.PathOf("scheduleRunTimes")}' must have one time: more than one backup a day needs an hourly schedule.");
    }
}
