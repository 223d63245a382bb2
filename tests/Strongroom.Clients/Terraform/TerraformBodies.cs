using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Terraform;

/// <summary>What azurerm sends for its resources, and the comparison that a plan makes.</summary>
internal static class TerraformBodies
{
    public static JsonObject VaultBody(Lab lab, string immutability, string owner) => new()
    {
        ["location"] = lab.Location,
        ["sku"] = new JsonObject { ["name"] = "Standard" },
        ["tags"] = new JsonObject { ["owner"] = owner },
        ["properties"] = new JsonObject
        {
            ["publicNetworkAccess"] = "Enabled",
            ["redundancySettings"] = new JsonObject { ["standardTierStorageRedundancy"] = "LocallyRedundant", ["crossRegionRestore"] = "Disabled" },
            ["monitoringSettings"] = new JsonObject
            {
                ["azureMonitorAlertSettings"] = new JsonObject { ["alertsForAllJobFailures"] = "Enabled" },
                ["classicAlertSettings"] = new JsonObject { ["alertsForCriticalOperations"] = "Enabled" },
            },
            ["securitySettings"] = new JsonObject { ["immutabilitySettings"] = new JsonObject { ["state"] = immutability } },
        },
    };

    public static JsonObject ItemBody(Lab lab, string policy) => new()
    {
        ["properties"] = new JsonObject
        {
            ["protectedItemType"] = "Microsoft.Compute/virtualMachines",
            ["policyId"] = policy,
            ["workloadType"] = "VM",
            ["sourceResourceId"] = lab.MachineId,
            ["virtualMachineId"] = lab.MachineId,
            ["friendlyName"] = lab.Machine,
        },
    };

    public static JsonObject PolicyBody(int days)
    {
        var times = (string[])["2026-01-01T23:00:00Z"];
        JsonArray Times() => [.. times];
        JsonObject Duration(int count, string type) => new() { ["count"] = count, ["durationType"] = type };
        return new()
        {
            ["properties"] = new JsonObject
            {
                ["backupManagementType"] = "AzureIaasVM",
                ["policyType"] = "V1",
                ["timeZone"] = "W. Europe Standard Time",
                ["instantRpRetentionRangeInDays"] = 3,
                ["schedulePolicy"] = new JsonObject
                {
                    ["schedulePolicyType"] = "SimpleSchedulePolicy",
                    ["scheduleRunFrequency"] = "Daily",
                    ["scheduleRunTimes"] = Times(),
                },
                ["retentionPolicy"] = new JsonObject
                {
                    ["retentionPolicyType"] = "LongTermRetentionPolicy",
                    ["dailySchedule"] = new JsonObject { ["retentionTimes"] = Times(), ["retentionDuration"] = Duration(days, "Days") },
                    ["weeklySchedule"] = new JsonObject { ["daysOfTheWeek"] = new JsonArray("Sunday", "Wednesday"), ["retentionTimes"] = Times(), ["retentionDuration"] = Duration(42, "Weeks") },
                    ["monthlySchedule"] = new JsonObject
                    {
                        ["retentionScheduleFormatType"] = "Weekly",
                        ["retentionScheduleWeekly"] = new JsonObject { ["daysOfTheWeek"] = new JsonArray("Sunday"), ["weeksOfTheMonth"] = new JsonArray("First", "Last") },
                        ["retentionTimes"] = Times(),
                        ["retentionDuration"] = Duration(7, "Months"),
                    },
                    ["yearlySchedule"] = new JsonObject
                    {
                        ["retentionScheduleFormatType"] = "Daily",
                        ["monthsOfYear"] = new JsonArray("January"),
                        ["retentionScheduleDaily"] = new JsonObject { ["daysOfTheMonth"] = new JsonArray(new JsonObject { ["date"] = 1, ["isLast"] = false }) },
                        ["retentionTimes"] = Times(),
                        ["retentionDuration"] = Duration(77, "Years"),
                    },
                },
            },
        };
    }

    /// <summary>Fails unless everything that was sent is answered with the same value: no difference for a plan to show.</summary>
    public static void AssertHolds(JsonNode sent, JsonNode answered, string at = "$")
    {
        switch (sent)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                    AssertHolds(value!, answered[name] ?? throw new InvalidDataException($"{at}.{name} is not in the answer: {answered.ToJsonString()}"), $"{at}.{name}");
                break;
            case JsonArray entries:
                Assert.Equal(entries.Count, answered.AsArray().Count);
                foreach (var (index, entry) in entries.Index())
                    AssertHolds(entry!, answered[index]!, $"{at}[{index}]");
                break;
            default:
                Assert.True(JsonNode.DeepEquals(sent, answered), $"{at} was sent as {sent.ToJsonString()} and answered as {answered.ToJsonString()}");
                break;
        }
    }
}
