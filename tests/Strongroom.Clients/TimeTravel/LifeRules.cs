using System.Text.Json.Nodes;

namespace Strongroom.Clients.TimeTravel;

/// <summary>A policy twice: as a client sends it, and as the calendar has it, in a way that has nothing to do with the server's.</summary>
/// <param name="Retention">What stands in retentionPolicy beside its type.</param>
/// <param name="IsOf">Whether the backup of a day is also of this kind: W weekly, M monthly, Y yearly.</param>
/// <param name="Until">The day on which the backup of a day is gone, for each kind that the policy has; D is daily.</param>
internal sealed record LifeRules(string Retention, IReadOnlyDictionary<char, Func<DateOnly, bool>> IsOf, IReadOnlyDictionary<char, Func<DateOnly, DateOnly>> Until)
{
    /// <summary>All kinds: weekly and monthly and yearly by dates.</summary>
    public static LifeRules Broad { get; } = new(
        """
        "dailySchedule": {"retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 14, "durationType": "Days"}},
        "weeklySchedule": {"daysOfTheWeek": ["Sunday", "Wednesday"], "retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 6, "durationType": "Weeks"}},
        "monthlySchedule": {"retentionScheduleFormatType": "Daily", "retentionScheduleDaily": {"daysOfTheMonth": [{"date": 1, "isLast": false}, {"date": 0, "isLast": true}]},
          "retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 4, "durationType": "Months"}},
        "yearlySchedule": {"retentionScheduleFormatType": "Daily", "monthsOfYear": ["January", "June"], "retentionScheduleDaily": {"daysOfTheMonth": [{"date": 1, "isLast": false}]},
          "retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 1, "durationType": "Years"}}
        """,
        new Dictionary<char, Func<DateOnly, bool>>
        {
            ['W'] = day => day.DayOfWeek is DayOfWeek.Sunday or DayOfWeek.Wednesday,
            ['M'] = day => day.Day == 1 || day.AddDays(1).Day == 1,
            ['Y'] = day => day is { Day: 1, Month: 1 or 6 },
        },
        new Dictionary<char, Func<DateOnly, DateOnly>>
        {
            ['D'] = day => day.AddDays(14),
            ['W'] = day => day.AddDays(42),
            ['M'] = day => day.AddMonths(4),
            ['Y'] = day => day.AddYears(1),
        });

    /// <summary>No weekly and no yearly ones; monthly by weekdays.</summary>
    public static LifeRules Monthly { get; } = new(
        """
        "dailySchedule": {"retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 7, "durationType": "Days"}},
        "monthlySchedule": {"retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": {"daysOfTheWeek": ["Friday"], "weeksOfTheMonth": ["Second", "Last"]},
          "retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 6, "durationType": "Months"}}
        """,
        new Dictionary<char, Func<DateOnly, bool>>
        {
            ['M'] = day => day.DayOfWeek == DayOfWeek.Friday && (day.Day is >= 8 and <= 14 || day.AddDays(7).Month != day.Month),
        },
        new Dictionary<char, Func<DateOnly, DateOnly>> { ['D'] = day => day.AddDays(7), ['M'] = day => day.AddMonths(6) });

    /// <summary>Daily ones only.</summary>
    public static LifeRules Daily { get; } = new(
        """
        "dailySchedule": {"retentionTimes": ["2031-01-01T02:30:00Z"], "retentionDuration": {"count": 9, "durationType": "Days"}}
        """,
        new Dictionary<char, Func<DateOnly, bool>>(),
        new Dictionary<char, Func<DateOnly, DateOnly>> { ['D'] = day => day.AddDays(9) });

    /// <summary>Every day at half past two in Berlin, which summer time leaves out once a year and gives twice once a year.</summary>
    public JsonObject Body => JsonNode.Parse($$"""
        {"properties": {"backupManagementType": "AzureIaasVM", "policyType": "V1", "instantRpRetentionRangeInDays": 2, "timeZone": "W. Europe Standard Time",
          "schedulePolicy": {"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": ["2031-01-01T02:30:00Z"]},
          "retentionPolicy": {"retentionPolicyType": "LongTermRetentionPolicy", {{Retention}} } } }
        """)!.AsObject();

    /// <summary>When the backup of a day is due: summer time is from the last Sunday of March to the last Sunday of October, and changes at 01:00 UTC.</summary>
    public static DateTimeOffset DueOn(DateOnly day)
    {
        var (begin, end) = (LastSunday(day.Year, 3), LastSunday(day.Year, 10));
        // On the first of these days 02:30 is left out, and 03:00, the first time after it, is 01:00 UTC; on the last one 02:30 comes twice, first while it is summer.
        var minutes = day == begin ? 60 : day > begin && day <= end ? 30 : 90;
        return new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero).AddMinutes(minutes);
    }

    private static DateOnly LastSunday(int year, int month)
    {
        var day = new DateOnly(year, month, DateTime.DaysInMonth(year, month));
        while (day.DayOfWeek != DayOfWeek.Sunday) day = day.AddDays(-1);
        return day;
    }
}
