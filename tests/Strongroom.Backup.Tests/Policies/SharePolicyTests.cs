using System.Text.Json.Nodes;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Policies.Reading;

namespace Strongroom.Backup.Tests.Policies;

/// <summary>Policies for file shares are read; what is wrong in them is refused.</summary>
public sealed class SharePolicyTests
{
    private const string Daily = """
        {"backupManagementType":"AzureStorage","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2021-09-29T08:00:00.000Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",
        "dailySchedule":{"retentionTimes":["2021-09-29T08:00:00.000Z"],"retentionDuration":{"count":5,"durationType":"Days"}},
        "weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionTimes":["2021-09-29T08:00:00.000Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}},
        "monthlySchedule":{"retentionScheduleFormatType":"Weekly","retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["First"]},"retentionTimes":["2021-09-29T08:00:00.000Z"],"retentionDuration":{"count":60,"durationType":"Months"}},
        "yearlySchedule":{"retentionScheduleFormatType":"Weekly","monthsOfYear":["January"],"retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["First"]},"retentionTimes":["2021-09-29T08:00:00.000Z"],"retentionDuration":{"count":10,"durationType":"Years"}}}}
        """;

    private const string Hourly = """
        {"backupManagementType":"AzureStorage",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2021-09-29T08:00:00.000Z","scheduleWindowDuration":12}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":null,"retentionDuration":{"count":5,"durationType":"Days"}}}}
        """;

    private const string Vaulted = """
        {"backupManagementType":"AzureStorage","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2023-07-18T09:30:00.000Z"]},
        "vaultRetentionPolicy":{"snapshotRetentionInDays":5,"vaultRetention":{"retentionPolicyType":"LongTermRetentionPolicy",
        "dailySchedule":{"retentionTimes":["2023-07-18T09:30:00.000Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}
        """;

    [Fact]
    public void A_daily_policy_keeps_snapshots()
    {
        var terms = Read(Daily);
        Assert.Equal([new(8, 0)], Assert.IsType<DailySchedule>(terms.Schedule).Times);
        Assert.Equal((5, 12, 60, 10), (terms.Retention.Daily!.Days, terms.Retention.Weekly!.Weeks, terms.Retention.Monthly!.Months, terms.Retention.Yearly!.Years));
        Assert.False(terms.IsVaultTier);
    }

    [Fact]
    public void An_hourly_policy_runs_in_its_window_and_is_given_its_times_of_retention()
    {
        var policy = Policy(Hourly);
        PolicyReader.Complete(policy.Properties);
        PolicyReader.Check(policy);
        Assert.Equal(new HourlySchedule(new(8, 0), 4, 12), PolicyTerms.Read(policy).Schedule);
        Assert.Equal("""["2021-09-29T20:00:00Z"]""", policy.Properties["retentionPolicy"]!["dailySchedule"]!["retentionTimes"]!.ToJsonString());
        Assert.Equal("UTC", (string?)policy.Properties["timeZone"]);
        // What was completed is accepted when it is sent back.
        PolicyReader.Check(policy);
    }

    [Fact]
    public void A_vaulted_policy_keeps_snapshots_for_some_days_and_points_in_the_vault()
    {
        var terms = Read(Vaulted);
        Assert.Equal((true, 5, 30), (terms.IsVaultTier, terms.InstantDays, terms.Retention.Daily!.Days));
    }

    [Theory]
    [InlineData(Daily, "schedulePolicy.scheduleRunFrequency", "\"Weekly\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.schedulePolicyType", "\"SimpleSchedulePolicyV2\"", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "schedulePolicy.scheduleRunTimes", "[]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.dailySchedule", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionDuration.count", "201", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Daily, "retentionPolicy.dailySchedule.retentionTimes", "[\"2021-09-29T09:00:00Z\"]", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "retentionPolicy", "null", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Daily, "timeZone", "\"Middle Earth\"", BackupRefusal.InvalidPolicyParameter)]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.interval", "5", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Hourly, "schedulePolicy.hourlySchedule.scheduleWindowDuration", "25", BackupRefusal.InvalidPolicyInput)]
    [InlineData(Vaulted, "vaultRetentionPolicy.snapshotRetentionInDays", "31", BackupRefusal.InstantRetentionExceedsVaulted)]
    [InlineData(Vaulted, "vaultRetentionPolicy.snapshotRetentionInDays", "0", BackupRefusal.PolicyRetentionInvalid)]
    [InlineData(Vaulted, "vaultRetentionPolicy.vaultRetention", "null", BackupRefusal.InvalidPolicyInput)]
    public void What_is_wrong_is_refused(string policy, string path, string value, BackupRefusal refusal)
    {
        var properties = (JsonObject)JsonNode.Parse(policy)!;
        var names = path.Split('.');
        var parent = names[..^1].Aggregate((JsonNode)properties, (node, name) => node[name]!);
        parent[names[^1]] = JsonNode.Parse(value);
        Assert.Equal(refusal, Assert.Throws<BackupRefusedException>(() => Read(properties.ToJsonString())).Refusal);
    }

    [Fact]
    public void Points_in_the_vault_are_no_weaker_than_snapshots_and_the_other_way_round_they_are()
    {
        Assert.False(PolicyComparison.IsWeaker(Policy(Hourly), Policy(Hourly)));
        Assert.True(PolicyComparison.IsWeaker(Policy(Vaulted), Policy(Daily)));
        Assert.True(PolicyComparison.IsWeaker(Policy(Daily), Policy(Vaulted)));
        var daily = (JsonObject)JsonNode.Parse(Daily)!;
        foreach (var rule in (string[])["weeklySchedule", "monthlySchedule", "yearlySchedule"]) daily["retentionPolicy"]!.AsObject().Remove(rule);
        Assert.False(PolicyComparison.IsWeaker(Policy(daily.ToJsonString()), Policy(Vaulted)));
        Assert.True(PolicyComparison.IsWeaker(Policy(Vaulted), Policy(daily.ToJsonString())));
    }

    private static PolicyTerms Read(string policy) => PolicyTerms.Read(Policy(policy));

    private static BackupPolicy Policy(string text) => new(Guid.NewGuid(), "p", (JsonObject)JsonNode.Parse(text)!, default);
}
