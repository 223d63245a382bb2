using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Backup.Policies;

/// <summary>The three policies that every vault has from its first moment, as the real service makes them.</summary>
public static class DefaultPolicies
{
    /// <summary>The policies for a vault made at <paramref name="createdAt"/>; only the time of day of their schedules matters, but the date is echoed.</summary>
    public static IEnumerable<BackupPolicy> For(Guid vaultKey, DateTimeOffset createdAt)
    {
        // On a half hour that differs from vault to vault, so that many vaults do not all start at once.
        var slot = vaultKey.ToByteArray()[0] % 16;
        var daily = At(createdAt, TimeSpan.FromMinutes(15 * 60 + slot * 30));
        var enhanced = At(createdAt, TimeSpan.FromHours(8));

        yield return new(vaultKey, "HourlyLogBackup", new JsonObject
        {
            ["backupManagementType"] = "AzureWorkload",
            ["workLoadType"] = "SQLDataBase",
            ["settings"] = new JsonObject { ["timeZone"] = "UTC", ["issqlcompression"] = false, ["isCompression"] = false },
            ["subProtectionPolicy"] = new JsonArray(
                new JsonObject { ["policyType"] = "Full", ["schedulePolicy"] = Daily(daily), ["retentionPolicy"] = Days(daily, 30) },
                new JsonObject
                {
                    ["policyType"] = "Log",
                    ["schedulePolicy"] = new JsonObject { ["schedulePolicyType"] = "LogSchedulePolicy", ["scheduleFrequencyInMins"] = 60 },
                    ["retentionPolicy"] = new JsonObject
                    {
                        ["retentionPolicyType"] = "SimpleRetentionPolicy",
                        ["retentionDuration"] = new JsonObject { ["count"] = 30, ["durationType"] = "Days" },
                    },
                }),
        }, createdAt);

        yield return new(vaultKey, "DefaultPolicy", new JsonObject
        {
            ["backupManagementType"] = "AzureIaasVM",
            ["instantRPDetails"] = new JsonObject(),
            ["schedulePolicy"] = Daily(daily),
            ["retentionPolicy"] = Days(daily, 30),
            ["instantRpRetentionRangeInDays"] = 2,
            ["timeZone"] = "UTC",
        }, createdAt);

        yield return new(vaultKey, "EnhancedPolicy", new JsonObject
        {
            ["backupManagementType"] = "AzureIaasVM",
            ["policyType"] = "V2",
            ["instantRPDetails"] = new JsonObject(),
            ["schedulePolicy"] = new JsonObject
            {
                ["schedulePolicyType"] = "SimpleSchedulePolicyV2",
                ["scheduleRunFrequency"] = "Hourly",
                ["hourlySchedule"] = new JsonObject { ["interval"] = 4, ["scheduleWindowStartTime"] = enhanced, ["scheduleWindowDuration"] = 12 },
            },
            ["retentionPolicy"] = Days(enhanced, 30),
            ["instantRpRetentionRangeInDays"] = 2,
            ["timeZone"] = "UTC",
        }, createdAt);
    }

    private static JsonObject Daily(string time) => new()
    {
        ["schedulePolicyType"] = "SimpleSchedulePolicy",
        ["scheduleRunFrequency"] = "Daily",
        ["scheduleRunTimes"] = new JsonArray(time),
        ["scheduleWeeklyFrequency"] = 0,
    };

    private static JsonObject Days(string time, int days) => new()
    {
        ["retentionPolicyType"] = "LongTermRetentionPolicy",
        ["dailySchedule"] = new JsonObject
        {
            ["retentionTimes"] = new JsonArray(time),
            ["retentionDuration"] = new JsonObject { ["count"] = days, ["durationType"] = "Days" },
        },
    };

    private static string At(DateTimeOffset day, TimeSpan time) =>
        (day.UtcDateTime.Date + time).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
