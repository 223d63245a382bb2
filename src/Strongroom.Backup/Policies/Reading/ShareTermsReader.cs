using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Backup.Policies.Reading;

/// <summary>Reads a policy for file shares (AzureStorage) in Azure's words: points that are snapshots, or with <c>vaultRetentionPolicy</c> in the vault as well.</summary>
internal static class ShareTermsReader
{
    /// <summary>A point of a policy without the vault tier is a snapshot for as long as it is kept: longer than any is.</summary>
    private const int AlwaysDays = 100 * 366;

    private static readonly string[] s_rules = ["dailySchedule", "weeklySchedule", "monthlySchedule", "yearlySchedule"];

    public static PolicyTerms Read(JsonObject properties)
    {
        var node = new PolicyNode(properties, "");
        var zone = TermsReader.Zone(node);
        var (schedule, first) = ScheduleReader.ReadOfShares(node.RequiredObject("schedulePolicy"));
        // Hourly backups have no one time; what is sent there is what the service itself has filled in.
        TimeOnly? at = schedule is HourlySchedule ? null : first;
        if (node.Object("vaultRetentionPolicy") is not { } vaulted)
        {
            var kept = RetentionReader.Read(node.RequiredObject("retentionPolicy"), schedule, at, RetentionLimits.OfShareSnapshots);
            return new() { TimeZone = zone, Schedule = schedule, Retention = kept, InstantDays = AlwaysDays, IsVaultTier = false, IsEnhanced = false };
        }

        if (node.Has("retentionPolicy")) throw PolicyRefusals.Input("'retentionPolicy' has no place beside 'vaultRetentionPolicy'.");
        var retention = RetentionReader.Read(vaulted.RequiredObject("vaultRetention"), schedule, at, RetentionLimits.OfVaultedShares);
        var days = vaulted.RequiredInteger("snapshotRetentionInDays");
        if (days is < 1 or > 200) throw PolicyRefusals.Retention($"'{vaulted.PathOf("snapshotRetentionInDays")}' is {days}; 1 to 200 days are supported.");
        if (days > retention.Daily!.Days)
            throw PolicyRefusals.InstantRetention($"Snapshots would be kept for {days} days, recovery points in the vault for {retention.Daily.Days}: the first must not be more.");
        return new() { TimeZone = zone, Schedule = schedule, Retention = retention, InstantDays = days, IsEnhanced = false };
    }

    /// <summary>The times of retention that a policy of hourly backups leaves to the service: the end of the window.</summary>
    public static void Complete(JsonObject properties)
    {
        if ((string?)properties["timeZone"] is null or "") properties["timeZone"] = "UTC";
        if (properties["schedulePolicy"]?["hourlySchedule"] is not JsonObject hourly
            || !DateTime.TryParse(hourly["scheduleWindowStartTime"]?.ToString(), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var start)
            || hourly["scheduleWindowDuration"] is not JsonValue duration || !duration.TryGetValue(out int hours) || hours is < 0 or > 24)
            return;
        var end = start.AddHours(hours).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var kept = properties["retentionPolicy"] ?? (properties["vaultRetentionPolicy"] as JsonObject)?["vaultRetention"];
        foreach (var rule in s_rules.Select(name => (kept as JsonObject)?[name]).OfType<JsonObject>())
        {
            if (rule["retentionTimes"] is null or JsonArray { Count: 0 }) rule["retentionTimes"] = new JsonArray(end);
        }
    }
}
