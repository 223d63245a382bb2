namespace Strongroom.Backup.Policies.Reading;

/// <summary>What schedule and retention must agree on.</summary>
internal static class RetentionAgreement
{
    public static void Check(RetentionRules rules, PolicySchedule schedule, string path)
    {
        if (schedule is WeeklySchedule weekly) CheckWeekly(rules, weekly, path);
        else if (rules.Daily is null) throw PolicyRefusals.Input($"'{path}.dailySchedule' is missing: daily backups need a daily retention.");
    }

    private static void CheckWeekly(RetentionRules rules, WeeklySchedule schedule, string path)
    {
        if (rules.Daily is not null) throw PolicyRefusals.Input($"'{path}.dailySchedule' has no place beside a weekly schedule.");
        if (rules.Weekly is not { } weekly) throw PolicyRefusals.Input($"'{path}.weeklySchedule' is missing: weekly backups need a weekly retention.");
        if (!weekly.Days.SequenceEqual(schedule.Days)) throw PolicyRefusals.Input($"'{path}.weeklySchedule.daysOfTheWeek' must be the days of the schedule.");
        CheckMonth(rules.Monthly?.Days, schedule, path + ".monthlySchedule");
        CheckMonth(rules.Yearly?.Days, schedule, path + ".yearlySchedule");
    }

    /// <summary>A day on which no backup is made keeps nothing, and by dates that is every other month.</summary>
    private static void CheckMonth(MonthDays? days, WeeklySchedule schedule, string path)
    {
        if (days is DatesOfMonth) throw PolicyRefusals.Input($"'{path}' must be of format Weekly beside a weekly schedule.");
        if (days is WeekdaysOfMonth weekdays && weekdays.Days.Any(d => !schedule.Days.Contains(d)))
            throw PolicyRefusals.Input($"'{path}.retentionScheduleWeekly.daysOfTheWeek' must be days of the schedule.");
    }
}
