using System.Text.Json.Nodes;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>Reads a policy for virtual machines (AzureIaasVM) in Azure's words.</summary>
internal static class TermsReader
{
    private const int DailyInstantDays = 2;
    private const int WeeklyInstantDays = 5;

    public static PolicyTerms Read(JsonObject properties)
    {
        var node = new PolicyNode(properties, "");
        var type = node.RequiredText("backupManagementType");
        if (type != "AzureIaasVM") throw PolicyRefusals.Input($"This policy is for {PolicyWords.Cut(type)}, not for virtual machines (AzureIaasVM).");
        var isEnhanced = IsEnhanced(node);
        var zone = Zone(node);
        var (schedule, first) = ScheduleReader.Read(node.RequiredObject("schedulePolicy"), isEnhanced);
        var retention = RetentionReader.Read(node.RequiredObject("retentionPolicy"), schedule, first, RetentionLimits.OfMachines);
        var instantDays = InstantDays(node, schedule, retention, isEnhanced);
        TieringReader.Check(node);
        var isCrashConsistentOnly = IsCrashConsistentOnly(node, isEnhanced);
        return new() { IsCrashConsistentOnly = isCrashConsistentOnly, TimeZone = zone, Schedule = schedule, Retention = retention, InstantDays = instantDays, IsEnhanced = isEnhanced };
    }

    /// <summary>How long a snapshot is kept where the policy does not say.</summary>
    public static int NormalInstantDays(JsonObject properties) => Normal((string?)properties["schedulePolicy"]?["scheduleRunFrequency"] == "Weekly");

    private static int Normal(bool isWeekly) => isWeekly ? WeeklyInstantDays : DailyInstantDays;

    /// <summary>The zone, by its Windows or its IANA name; UTC when the policy names none.</summary>
    internal static TimeZoneInfo Zone(PolicyNode node)
    {
        var name = node.Text("timeZone");
        if (string.IsNullOrEmpty(name)) return TimeZoneInfo.Utc;
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone)
            ? zone
            : throw PolicyRefusals.Parameter("timeZone", $"'{PolicyWords.Cut(name)}' is not a time zone; it takes names such as 'W. Europe Standard Time' or 'Europe/Berlin'.");
    }

    private static bool IsEnhanced(PolicyNode node) => node.Text("policyType") switch
    {
        null or "" or "V1" => false,
        "V2" => true,
        var other => throw PolicyRefusals.Input($"'policyType' is '{PolicyWords.Cut(other)}'; it must be V1 or V2."),
    };

    private static int InstantDays(PolicyNode node, PolicySchedule schedule, RetentionRules retention, bool isEnhanced)
    {
        var isWeekly = schedule is WeeklySchedule;
        var (least, most) = (isEnhanced, isWeekly) switch
        {
            (true, _) => (1, 30),
            (false, true) => (WeeklyInstantDays, WeeklyInstantDays),
            (false, false) => (1, 5),
        };
        var days = node.Integer("instantRpRetentionRangeInDays") ?? Normal(isWeekly);
        if (days < least || days > most)
            throw PolicyRefusals.Parameter("instantRpRetentionRangeInDays", $"'instantRpRetentionRangeInDays' is {days}; this kind of policy takes {(least == most ? $"{least}" : $"{least} to {most}")} days.");
        var vaulted = retention.Daily?.Days ?? 7 * retention.Weekly!.Weeks;
        // A day less than the vault keeps it: else snapshots outlive what they are the source of.
        return days < vaulted ? days : throw PolicyRefusals.InstantRetention($"Snapshots would be kept for {days} days, recovery points in the vault for {vaulted}: the first must be less.");
    }

    private static bool IsCrashConsistentOnly(PolicyNode node, bool isEnhanced)
    {
        if (node.Text("snapshotConsistencyType") is not { Length: > 0 } type) return false;
        if (type != "OnlyCrashConsistent") throw PolicyRefusals.Input($"'snapshotConsistencyType' is '{PolicyWords.Cut(type)}'; it must be OnlyCrashConsistent.");
        return isEnhanced ? true : throw PolicyRefusals.Input("'snapshotConsistencyType' needs a policy of policyType V2.");
    }
}
