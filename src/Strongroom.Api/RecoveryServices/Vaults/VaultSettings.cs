using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary>The properties of a vault that a caller sets and that are answered as they were set; source: VaultProperties of vaults.json 2024-04-01.</summary>
internal static class VaultSettings
{
    private const string PermanentlyDisabled = "PermanentlyDisabled";

    private static readonly string[] Switch = ["Enabled", "Disabled"];

    /// <summary>Every value that is kept, and what it can be.</summary>
    private static readonly (string[] Path, string[] Values)[] Kept =
    [
        (["publicNetworkAccess"], Switch),
        (["monitoringSettings", "azureMonitorAlertSettings", "alertsForAllJobFailures"], Switch),
        (["monitoringSettings", "azureMonitorAlertSettings", "alertsForAllReplicationIssues"], Switch),
        (["monitoringSettings", "azureMonitorAlertSettings", "alertsForAllFailoverIssues"], Switch),
        (["monitoringSettings", "classicAlertSettings", "alertsForCriticalOperations"], Switch),
        (["monitoringSettings", "classicAlertSettings", "emailNotificationsForSiteRecovery"], Switch),
        (["restoreSettings", "crossSubscriptionRestoreSettings", "crossSubscriptionRestoreState"], [.. Switch, PermanentlyDisabled]),
    ];

    /// <summary>The settings after a change: what is not said stays, what is null goes back to its standard.</summary>
    /// <exception cref="ArmException">400: a wrong type, or a value that does not exist.</exception>
    public static JsonObject Change(JsonObject existing, JsonObject sent)
    {
        var kept = (JsonObject)existing.DeepClone();
        var crosses = CrossSubscription(kept);
        foreach (var (path, values) in Kept)
        {
            if (Find(sent, path) is not { } holder || !holder.HasField(path[^1])) continue;
            var value = holder.OptionalText(path[^1]);
            Set(kept, path, value is null ? null : values.FirstOrDefault(v => v.Equals(value, StringComparison.OrdinalIgnoreCase))
                ?? throw RecoveryServicesErrors.InvalidInput($"{path[^1]} is one of {string.Join(", ", values)}.", "properties." + string.Join('.', path)));
        }

        return crosses == PermanentlyDisabled && CrossSubscription(kept) != crosses
            ? throw RecoveryServicesErrors.InvalidInput("Restores to other subscriptions are permanently disabled for this vault, which cannot be taken back.", "properties.restoreSettings")
            : kept;
    }

    private static string? CrossSubscription(JsonObject kept) =>
        kept.OptionalObject("restoreSettings")?.OptionalObject("crossSubscriptionRestoreSettings")?.OptionalText("crossSubscriptionRestoreState");

    /// <summary>The object that holds the last part of a path, or null where the request does not speak of it.</summary>
    private static JsonObject? Find(JsonObject from, ReadOnlySpan<string> path)
    {
        var at = from;
        foreach (var name in path[..^1])
        {
            if (at.OptionalObject(name) is not { } next) return null;
            at = next;
        }

        return at;
    }

    private static void Set(JsonObject into, ReadOnlySpan<string> path, string? value)
    {
        foreach (var name in path[..^1])
        {
            if (into[name] is not JsonObject next) into[name] = next = [];
            into = next;
        }

        if (value is null) into.Remove(path[^1]);
        else into[path[^1]] = value;
    }
}
