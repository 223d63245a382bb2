using System.Text.Json.Nodes;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Tests.Policies;

public sealed class PolicyComparisonTests
{
    private const string Daily = """{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T08:00:00Z"]}""";

    public static TheoryData<string, string, bool> Pairs => new()
    {
        { Of(30), Of(30), false },
        { Of(30), Of(31), false },
        { Of(30), Of(29), true },
        { Of(30, instant: 3), Of(30, instant: 2), true },
        { Of(30, instant: 2), Of(30, instant: 3), false },
        { Of(30, more: Weekly(10)), Of(30), true },
        { Of(30), Of(30, more: Weekly(10)), false },
        { Of(30, more: Weekly(10)), Of(400, more: Weekly(9)), true },
        // Another day of the week is no shorter time.
        { Of(30, more: Weekly(10)), Of(30, more: Weekly(10, "Monday")), false },
        { Of(30, Hours(4, 24)), Of(30), true },
        { Of(30), Of(30, Hours(4, 24)), false },
        { Of(30, Hours(4, 24)), Of(30, Hours(4, 12)), true },
        { Of(30, Hours(6, 24)), Of(30, Hours(4, 24)), false },
        { OfWeek("Sunday", "Wednesday"), OfWeek("Sunday", "Monday"), true },
        { OfWeek("Sunday"), OfWeek("Sunday", "Monday"), false },
        { OfWeek("Sunday"), OfWeek("Monday"), false },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_policy_is_weaker_that_keeps_less_or_backs_up_less_often(string before, string after, bool isWeaker) =>
        Assert.Equal(isWeaker, PolicyComparison.IsWeaker(Policy(before), Policy(after)));

    [Fact]
    public void Policies_for_other_things_protect_nothing_here()
    {
        Assert.False(PolicyComparison.IsWeaker(Policy("""{"backupManagementType":"AzureWorkload"}"""), Policy("""{"backupManagementType":"AzureWorkload"}""")));
        Assert.False(PolicyComparison.IsWeaker(Policy(Of(30)), Policy("""{"backupManagementType":"AzureWorkload"}""")));
        Assert.True(PolicyComparison.IsWeaker(Policy("""{"backupManagementType":"AzureIaasVM"}"""), Policy(Of(30))));
    }

    private static BackupPolicy Policy(string json) => new(Guid.Empty, "p", (JsonObject)JsonNode.Parse(json)!, default);

    private static string Of(int days, string? schedule = null, int instant = 2, string more = "") => $$$"""
        {"backupManagementType":"AzureIaasVM","timeZone":"UTC","instantRpRetentionRangeInDays":{{{instant}}},"policyType":"{{{(schedule is null ? "V1" : "V2")}}}","schedulePolicy":{{{schedule ?? Daily}}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":{{{days}}},"durationType":"Days"}}{{{more}}}}}
        """;

    private static string Weekly(int weeks, string day = "Sunday") =>
        $$$""","weeklySchedule":{"daysOfTheWeek":["{{{day}}}"],"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":{{{weeks}}},"durationType":"Weeks"}}""";

    private static string Hours(int interval, int window) => $$$"""
        {"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":{{{interval}}},"scheduleWindowStartTime":"2026-01-01T08:00:00Z","scheduleWindowDuration":{{{window}}} } }
        """;

    private static string OfWeek(params string[] days)
    {
        var list = $"\"{string.Join("\",\"", days)}\"";
        return $$$"""
            {"backupManagementType":"AzureIaasVM","timeZone":"UTC","instantRpRetentionRangeInDays":5,"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Weekly","scheduleRunDays":[{{{list}}}],"scheduleRunTimes":["2026-01-01T08:00:00Z"]},
            "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","weeklySchedule":{"daysOfTheWeek":[{{{list}}}],"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}} } }
            """;
    }
}
