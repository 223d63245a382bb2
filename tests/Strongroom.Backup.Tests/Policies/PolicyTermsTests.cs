using System.Text.Json.Nodes;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Tests.Policies;

/// <summary>Policies for virtual machines are read; what is wrong in them is refused.</summary>
public sealed class PolicyTermsTests
{
    private const string Daily = """
        {"backupManagementType":"AzureIaasVM","timeZone":"W. Europe Standard Time","instantRpRetentionRangeInDays":3,
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T03:30:00Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",
        "dailySchedule":{"retentionTimes":["2018-07-30T03:30:00.000Z"],"retentionDuration":{"count":30,"durationType":"Days"}},
        "weeklySchedule":{"daysOfTheWeek":["Sunday","Friday"],"retentionTimes":["2026-01-01T03:30:00Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}},
        "monthlySchedule":{"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"date":15,"isLast":false},{"date":0,"isLast":true}]},"retentionTimes":["2026-01-01T03:30:00Z"],"retentionDuration":{"count":24,"durationType":"Months"}},
        "yearlySchedule":{"retentionScheduleFormatType":"Weekly","monthsOfYear":["January","July"],"retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["First","Last"]},"retentionTimes":["2026-01-01T03:30:00Z"],"retentionDuration":{"count":7,"durationType":"Years"}}}}
        """;

    private const string Weekly = """
        {"backupManagementType":"AzureIaasVM",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunDays":["Wednesday","Monday"],"scheduleRunTimes":["2018-01-24T10:00:00Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",
        "weeklySchedule":{"daysOfTheWeek":["Monday","Wednesday"],"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":1,"durationType":"Weeks"}},
        "monthlySchedule":{"retentionScheduleFormatType":"Weekly","retentionScheduleWeekly":{"daysOfTheWeek":["Wednesday"],"weeksOfTheMonth":["First","Third"]},"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":2,"durationType":"Months"}}}}
        """;

    private const string Hourly = """
        {"backupManagementType":"AzureIaasVM","policyType":"V2","timeZone":"Asia/Tokyo","instantRpRetentionRangeInDays":30,"snapshotConsistencyType":"OnlyCrashConsistent",
        "tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}},
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2026-01-01T08:00:00Z","scheduleWindowDuration":12}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":31,"durationType":"Days"}}}}
        """;

    [Fact]
    public void A_daily_policy_is_read()
    {
        var terms = Read(Daily);
        Assert.Equal((false, 3), (terms.IsEnhanced, terms.InstantDays));
        Assert.True(terms.TimeZone.IsDaylightSavingTime(new DateTimeOffset(2026, 7, 1, 0, 0, 0, TimeSpan.Zero)));
        Assert.Equal([new(3, 30)], Assert.IsType<DailySchedule>(terms.Schedule).Times);
        Assert.Equal((30, 12, 24, 7), (terms.Retention.Daily!.Days, terms.Retention.Weekly!.Weeks, terms.Retention.Monthly!.Months, terms.Retention.Yearly!.Years));
        Assert.Equal([DayOfWeek.Sunday, DayOfWeek.Friday], terms.Retention.Weekly.Days);
        var monthly = Assert.IsType<DatesOfMonth>(terms.Retention.Monthly.Days);
        Assert.Equal((15, true), (Assert.Single(monthly.Dates), monthly.IsLast));
        var yearly = Assert.IsType<WeekdaysOfMonth>(terms.Retention.Yearly.Days);
        Assert.Equal((1, true), (Assert.Single(yearly.Weeks), yearly.IsLast));
        Assert.Equal([1, 7], terms.Retention.Yearly.Months);
    }

    [Fact]
    public void A_weekly_policy_is_read_and_keeps_snapshots_for_five_days()
    {
        var terms = Read(Weekly);
        Assert.Equal([DayOfWeek.Monday, DayOfWeek.Wednesday], Assert.IsType<WeeklySchedule>(terms.Schedule).Days);
        Assert.Equal((5, TimeZoneInfo.Utc), (terms.InstantDays, terms.TimeZone));
    }

    [Fact]
    public void An_hourly_policy_is_read()
    {
        var terms = Read(Hourly);
        Assert.True(terms.IsEnhanced);
        Assert.Equal(new HourlySchedule(new(8, 0), 4, 12), terms.Schedule);
        Assert.Equal(TimeSpan.FromHours(9), terms.TimeZone.BaseUtcOffset);
    }

    [Fact]
    public void The_policies_that_every_vault_has_are_sound()
    {
        foreach (var policy in DefaultPolicies.For(Guid.NewGuid(), new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)))
        {
            var before = policy.Properties.ToJsonString();
            Strongroom.Backup.Policies.Reading.PolicyReader.Complete(policy.Properties);
            Strongroom.Backup.Policies.Reading.PolicyReader.Check(policy);
            Assert.Equal(before, policy.Properties.ToJsonString());
        }
    }

    [Theory]
    [InlineData(Daily, "timeZone", "\"Middle Earth\"", BackupRefusal.InvalidPolicyParameter)]
    [InlineData(Daily, "instantRpRetentionRangeInDays", "0", BackupRefusal.InvalidPolicyParameter)]
    [InlineData(Daily, "instantRpRetentionRangeInDays", "6", BackupRefusal.InvalidPolicyParameter)]
    [InlineData(Weekly, "instantRpRetentionRangeInDays", "4", BackupRefusal.InvalidPolicyParameter)]
    [InlineData(Hourly, "instantRpRetentionRangeInDays", "31", BackupRefusal.InvalidPolicyParameter)]
    [InlineData(Hourly, "retentionPolicy.dailySchedule.retentionDuration.count", "30", BackupRefusal.InstantRetentionExceedsVaulted)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration.count", "6", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration.count", "10000", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Daily, "retentionPolicy.weeklySchedule.retentionDuration.count", "5164", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Daily, "retentionPolicy.monthlySchedule.retentionDuration.count", "1189", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Daily, "retentionPolicy.yearlySchedule.retentionDuration.count", "100", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Daily, "retentionPolicy.yearlySchedule.retentionDuration.count", "0", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Hourly, "tieringPolicy.ArchivedRP.duration", "2", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Hourly, "tieringPolicy.ArchivedRP.tieringMode", "\"Sometimes\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "tieringPolicy.ArchivedRP.durationType", "\"Invalid\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "backupManagementType", "\"AzureWorkload\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "policyType", "\"V2\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "policyType", "\"V3\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "snapshotConsistencyType", "\"OnlyCrashConsistent\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunFrequency", "\"Hourly\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunFrequency", "\"0\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunDays", "[\"Monday\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunTimes", "[]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunTimes", "[\"2026-01-01T03:30:00Z\",\"2026-01-01T09:30:00Z\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunTimes", "[\"2026-01-01T03:45:00Z\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunTimes", "[\"03:30\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunTimes", "[\"2026-01-01T04:00:00Z\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "schedulePolicy.scheduleRunDays", "[]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "schedulePolicy.scheduleRunDays", "[\"Monday\",\"Monday\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "schedulePolicy.scheduleRunDays", "[\"1\",\"3\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "schedulePolicy.scheduleRunDays", "[\"Monday\",\"Friday\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "schedulePolicy.scheduleWeeklyFrequency", "2", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "retentionPolicy.weeklySchedule", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "retentionPolicy.dailySchedule", """{"retentionTimes":["2018-01-24T10:00:00Z"],"retentionDuration":{"count":7,"durationType":"Days"}}""", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "retentionPolicy.monthlySchedule.retentionScheduleWeekly.daysOfTheWeek", "[\"Friday\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "retentionPolicy.monthlySchedule.retentionScheduleWeekly.weeksOfTheMonth", "[\"Fifth\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Weekly, "retentionPolicy.monthlySchedule.retentionScheduleWeekly", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.dailySchedule", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionTimes", "[]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration.durationType", "\"Weeks\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.monthlySchedule.retentionScheduleDaily.daysOfTheMonth", "[{\"date\":32}]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.monthlySchedule.retentionScheduleDaily.daysOfTheMonth", "[{\"date\":3},{\"date\":3}]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.monthlySchedule.retentionScheduleDaily.daysOfTheMonth", "[]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.monthlySchedule.retentionScheduleFormatType", "\"Invalid\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.yearlySchedule.monthsOfYear", "[\"Invalid\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.retentionPolicyType", "\"SimpleRetentionPolicy\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.interval", "5", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.scheduleWindowDuration", "3", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.scheduleWindowDuration", "25", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.scheduleWindowStartTime", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "schedulePolicy.schedulePolicyType", "\"SimpleSchedulePolicy\"", BackupRefusal.InvalidPolicyInput)]
    public void What_is_wrong_is_refused(string policy, string path, string value, BackupRefusal refusal)
    {
        var properties = JsonNode.Parse(policy)!;
        var parent = path.Split('.')[..^1].Aggregate(properties, (node, name) => node[name]!);
        parent[path.Split('.')[^1]] = JsonNode.Parse(value);

        var refused = Assert.Throws<BackupRefusedException>(() => Read(properties.ToJsonString()));

        Assert.Equal(refusal, refused.Refusal);
        Assert.NotEmpty(refused.Message);
    }

    [Theory]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration.count", "9999")]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration.count", "7")]
    [InlineData(Daily, "retentionPolicy.weeklySchedule.retentionDuration.count", "5163")]
    [InlineData(Daily, "retentionPolicy.monthlySchedule.retentionDuration.count", "1188")]
    [InlineData(Daily, "retentionPolicy.yearlySchedule.retentionDuration.count", "99")]
    [InlineData(Daily, "tieringPolicy", """{"ArchivedRP":{"tieringMode":"DoNotTier","duration":0,"durationType":"Invalid"}}""")]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.scheduleWindowDuration", "23")]
    public void What_is_within_bounds_is_read(string policy, string path, string value)
    {
        var properties = JsonNode.Parse(policy)!;
        var parent = path.Split('.')[..^1].Aggregate(properties, (node, name) => node[name]!);
        parent[path.Split('.')[^1]] = JsonNode.Parse(value);
        Assert.NotNull(Read(properties.ToJsonString()));
    }

    private static PolicyTerms Read(string properties) => PolicyTerms.Read(new(Guid.NewGuid(), "p", JsonNode.Parse(properties)!.AsObject(), DateTimeOffset.UnixEpoch));
}
