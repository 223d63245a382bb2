using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Tests.Policies;

/// <summary>The policies as the real service answers them for a new vault (recorded; without protectedItemsCount, which the answer adds).</summary>
public sealed class DefaultPolicyTests
{
    private const string Daily = """{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["TIME"],"scheduleWeeklyFrequency":0}""";
    private const string Days = """{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["TIME"],"retentionDuration":{"count":30,"durationType":"Days"}}}""";

    private static readonly DateTimeOffset s_created = new(2023, 2, 1, 9, 13, 13, TimeSpan.Zero);

    [Theory]
    [InlineData("HourlyLogBackup", """
        {"backupManagementType":"AzureWorkload","workLoadType":"SQLDataBase","settings":{"timeZone":"UTC","issqlcompression":false,"isCompression":false},
        "subProtectionPolicy":[{"policyType":"Full","schedulePolicy":DAILY,"retentionPolicy":DAYS},
        {"policyType":"Log","schedulePolicy":{"schedulePolicyType":"LogSchedulePolicy","scheduleFrequencyInMins":60},
        "retentionPolicy":{"retentionPolicyType":"SimpleRetentionPolicy","retentionDuration":{"count":30,"durationType":"Days"}}}]}
        """)]
    [InlineData("DefaultPolicy", """
        {"backupManagementType":"AzureIaasVM","instantRPDetails":{},"schedulePolicy":DAILY,"retentionPolicy":DAYS,"instantRpRetentionRangeInDays":2,"timeZone":"UTC"}
        """)]
    [InlineData("EnhancedPolicy", """
        {"backupManagementType":"AzureIaasVM","policyType":"V2","instantRPDetails":{},"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly",
        "hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2023-02-01T08:00:00Z","scheduleWindowDuration":12}},
        "retentionPolicy":DAYS,"instantRpRetentionRangeInDays":2,"timeZone":"UTC"}
        """)]
    public void A_new_vault_has_the_policies_of_the_real_service(string name, string recorded)
    {
        var policy = DefaultPolicies.For(Guid.NewGuid(), s_created).Single(p => p.Name == name);
        var time = name == "EnhancedPolicy" ? "2023-02-01T08:00:00Z" : TimeOf(policy);
        var expected = recorded.Replace("DAILY", Daily, StringComparison.Ordinal).Replace("DAYS", Days, StringComparison.Ordinal).Replace("TIME", time, StringComparison.Ordinal);

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), policy.Properties), policy.Properties.ToJsonString());
        Assert.Equal((string?)policy.Properties["backupManagementType"], policy.BackupManagementType);
    }

    [Fact]
    public void There_are_three_of_the_vault_itself()
    {
        var vault = Guid.NewGuid();
        var policies = DefaultPolicies.For(vault, s_created).ToList();
        Assert.Equal(["DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup"], policies.Select(p => p.Name).Order());
        Assert.All(policies, p => Assert.Equal(vault, p.VaultKey));
    }

    [Fact]
    public void The_schedule_is_on_a_half_hour_of_the_day_of_birth_and_differs_from_vault_to_vault()
    {
        var times = Enumerable.Range(0, 64)
            .Select(n => new Guid(n, 0, 0, new byte[8]))
            .Select(vault => TimeOf(DefaultPolicies.For(vault, s_created).Single(p => p.Name == "DefaultPolicy")))
            .Select(text => DateTimeOffset.ParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)).ToList();

        Assert.All(times, t => Assert.Equal((s_created.Date, 0, 0), (t.UtcDateTime.Date, t.Minute % 30, t.Second)));
        Assert.True(times.Distinct().Count() > 8);
    }

    private static string TimeOf(BackupPolicy policy)
    {
        var holder = policy.Properties["subProtectionPolicy"]?[0] ?? policy.Properties;
        return (string)holder["schedulePolicy"]!["scheduleRunTimes"]![0]!;
    }
}
