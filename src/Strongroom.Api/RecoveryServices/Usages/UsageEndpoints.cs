using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Usages;

/// <summary>How much a vault is used: <c>usages</c>, <c>replicationUsages</c>, <c>backupUsageSummaries</c>.</summary>
internal static class UsageEndpoints
{
    private const string Items = "BackupProtectedItemCountSummary";
    private const string Containers = "BackupProtectionContainerCountSummary";

    /// <summary>How the service calls the bytes stored, by redundancy.</summary>
    private static readonly (string Redundancy, string Name, string Text)[] Storages =
    [
        ("GeoRedundant", "GRSStorageUsage", "Cloud - GRS"),
        ("LocallyRedundant", "LRSStorageUsage", "Cloud - LRS"),
        ("ZoneRedundant", "ZRSStorageUsage", "Cloud - ZRS"),
        ("ReadAccessGeoZoneRedundant", "RAGZRSStorageUsage", "Cloud - RA-GZRS"),
    ];

    public static void MapUsages(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/usages", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/usages/read");
        vault.MapGet("/replicationUsages", (Delegate)ListReplicationAsync).WithAction("Microsoft.RecoveryServices/vaults/replicationUsages/read");
        vault.MapGet("/backupUsageSummaries", ListSummariesAsync).WithAction("Microsoft.RecoveryServices/vaults/backupUsageSummaries/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, VaultUsages usages)
    {
        var vault = await context.VaultAsync();
        var usage = await usages.CountAsync(vault.Key, context.RequestAborted);
        List<JsonNode> lines =
        [
            Count("MABContainersCount", "Backup management servers", 0),
            Count("ProtectedItemCount", "Backup items", usage.Items),
            Count("ProtectedItemCriticalCount", "Critical", usage.FailingItems),
            Count("ProtectedItemWarningCount", "Warning", 0),
            Count("IaaSVMProtectedItemCount", "Azure Virtual Machines", usage.Items - usage.Shares),
            Count("IaaSVMProtectedItemCriticalCount", "Critical", usage.FailingItems - usage.FailingShares),
            Count("IaaSVMProtectedItemWarningCount", "Warning", 0),
            Count("MABProtectedItemCount", "File-Folders", 0),
            Count("DPMProtectedItemCount", "DPM Protected Items Count", 0),
            Count("AzureBackupServerProtectedItemCount", "Azure Backup Server Protected Items Count", 0),
            Count("InProgressJobsCount", "In progress", usage.RunningJobs, "P1D"),
            Count("FailedJobsCount", "Failed", usage.FailedJobs, "P1D"),
            Count("ManagedInstances", "Protected Instances", usage.Items),
        ];
        // A storage that does not answer has no number, and 0 would be one.
        if (usage.BytesStored is { } bytes)
            lines.AddRange(Storages.Select(s => Line("Bytes", s.Name, s.Text, s.Redundancy == vault.Config.StorageModelType ? bytes : 0)));
        return ArmResults.List(lines);
    }

    /// <summary>Nothing is replicated: one entry of zeros, as of a vault that does none.</summary>
    private static async Task<IResult> ListReplicationAsync(HttpContext context)
    {
        await context.VaultAsync();
        return ArmResults.List([new JsonObject
        {
            ["monitoringSummary"] = new JsonObject
            {
                ["unHealthyVmCount"] = 0,
                ["unHealthyProviderCount"] = 0,
                ["eventsCount"] = 0,
                ["deprecatedProviderCount"] = 0,
                ["supportedProviderCount"] = 0,
                ["unsupportedProviderCount"] = 0,
            },
            ["jobsSummary"] = new JsonObject { ["failedJobs"] = 0, ["suspendedJobs"] = 0, ["inProgressJobs"] = 0 },
            ["protectedItemCount"] = 0,
            ["recoveryPlanCount"] = 0,
            ["registeredServersCount"] = 0,
        }]);
    }

    private static async Task<IResult> ListSummariesAsync(HttpContext context, VaultUsages usages)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("type");
        Paging.Read(context.Request);
        var type = filter["type"] ?? Items;
        var isContainers = type.Equals(Containers, StringComparison.OrdinalIgnoreCase);
        if (!isContainers && !type.Equals(Items, StringComparison.OrdinalIgnoreCase))
            throw ArmErrors.InvalidFilter(type, $"'type' is one of {Items}, {Containers}");
        var usage = await usages.CountAsync(vault.Key, context.RequestAborted);
        var machines = usage.Items - usage.Shares;
        // A machine that was deleted softly keeps its container.
        List<JsonNode> counts = [Count("AzureIaasVM", "Azure Virtual Machine", isContainers ? machines + usage.SoftDeletedItems - usage.SoftDeletedShares : machines)];
        if (usage.Accounts > 0) counts.Add(Count("AzureStorage", "Azure Storage (Azure Files)", isContainers ? usage.Accounts : usage.Shares));
        return ArmResults.List(counts);
    }

    private static JsonObject Count(string name, string text, int value, string? period = null)
    {
        var line = Line("Count", name, text, value);
        if (period is not null) line["quotaPeriod"] = period;
        return line;
    }

    private static JsonObject Line(string unit, string name, string text, long value) => new()
    {
        ["unit"] = unit,
        ["currentValue"] = value,
        ["limit"] = -1,
        ["name"] = new JsonObject { ["value"] = name, ["localizedValue"] = text },
    };
}
