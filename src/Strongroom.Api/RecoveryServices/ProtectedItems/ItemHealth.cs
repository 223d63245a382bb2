using System.Text.Json.Nodes;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Api.RecoveryServices.ProtectedItems;

/// <summary>How an item's last backup went, as <c>healthDetails</c> and <c>kpisHealths</c> say it.</summary>
internal static class ItemHealth
{
    /// <summary>Nothing before the first backup; of one that failed, its job's error.</summary>
    public static JsonArray Details(ProtectedItem item)
    {
        if (item.LastBackupStatus.Length == 0) return [];
        var (source, prefix) = (item.Kind.Noun(), item.Kind == ItemKind.FileShare ? "FileShare" : "IaasVm");
        var isGreen = !item.IsFailing && item.LastBackupStatus != JobStates.CompletedWithWarnings;
        if (isGreen) return [Detail(400239, prefix + "HealthGreenDefault", $"The last backup of this {source} succeeded.", [])];
        return [item.LastBackupError is { } error
            ? Detail(error.Code, error.Title, error.Message, error.Recommendations)
            : Detail(400240, prefix + "HealthYellowDefault", $"The last backup of this {source} failed; its job says why.", [])];
    }

    /// <summary>Backups alone: nothing is known about restores until one is made.</summary>
    public static JsonObject Kpis(ProtectedItem item) => item.LastBackupStatus.Length == 0 ? [] : new JsonObject
    {
        ["BackupOperationStatusKPI"] = new JsonObject
        {
            // The next backup may succeed.
            ["resourceHealthStatus"] = item.IsFailing ? "TransientUnhealthy" : item.LastBackupStatus == JobStates.CompletedWithWarnings ? "TransientDegraded" : "Healthy",
            ["resourceHealthDetails"] = Details(item),
        },
    };

    private static JsonObject Detail(int code, string title, string message, IEnumerable<string> recommendations) => new()
    {
        ["code"] = code,
        ["title"] = title,
        ["message"] = message,
        ["recommendations"] = new JsonArray([.. recommendations.Select(r => (JsonNode)r)]),
    };
}
