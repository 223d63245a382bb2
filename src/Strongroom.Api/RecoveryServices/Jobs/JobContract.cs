using System.Text.Json.Nodes;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Jobs;

/// <summary>A job on the wire: <c>AzureIaaSVMJob</c> or <c>AzureStorageJob</c> of bms.json.</summary>
internal static class JobContract
{
    /// <param name="isDetail">True for one job; jobs in a list have no extended information.</param>
    public static JsonObject ToJson(Vault vault, Job job, DateTimeOffset now, bool isDetail)
    {
        var isShare = job.Kind == ItemKind.FileShare;
        var properties = new JsonObject
        {
            ["jobType"] = ItemWords.JobType(job.Kind),
            ["duration"] = WireTimes.Duration((job.EndedAt ?? now) - job.StartedAt),
            ["actionsInfo"] = new JsonArray([.. IsCancellable(job) ? [(JsonNode)"Cancellable"] : Array.Empty<JsonNode>()]),
            ["virtualMachineVersion"] = "Compute",
            ["containerName"] = job.NativeName,
            ["isUserTriggered"] = job.IsUserTriggered,
            ["entityFriendlyName"] = job.FriendlyName,
            ["backupManagementType"] = ItemWords.ManagementType(job.Kind),
            ["operation"] = job.Operation,
            ["status"] = job.State,
            ["startTime"] = WireTimes.Text(job.StartedAt),
            ["activityId"] = job.Id.ToString(),
        };
        if (isShare)
        {
            var container = ItemNames.ContainerOf(job.NativeName);
            properties["storageAccountName"] = container[(container.LastIndexOf(';') + 1)..];
            properties["storageAccountVersion"] = "Storage";
            properties.Remove("virtualMachineVersion");
            properties.Remove("containerName");
        }
        if (job.EndedAt is { } endedAt) properties["endTime"] = WireTimes.Text(endedAt);
        if (job.Errors.Length > 0) properties["errorDetails"] = new JsonArray([.. job.Errors.Select(error => Error(error, isShare))]);
        if (isDetail) properties["extendedInfo"] = ExtendedInfo(job, now);
        return new()
        {
            ["id"] = BackupPaths.Job(vault, job.Id),
            ["name"] = job.Id.ToString(),
            ["type"] = BackupPaths.VaultType + "/backupJobs",
            ["properties"] = properties,
        };
    }

    private static bool IsCancellable(Job job) => job.State == JobStates.InProgress && job.Operation is JobOperations.Backup or JobOperations.Restore or JobOperations.VerifyRestore && job.IsLive;

    private static JsonObject ExtendedInfo(Job job, DateTimeOffset now)
    {
        // Jobs of shares tell less: what their contract has no field for is in the bag.
        var isShare = job.Kind == ItemKind.FileShare;
        var info = new JsonObject
        {
            // Never absent: clients walk through it.
            ["tasksList"] = new JsonArray([.. job.Tasks.Select(t => isShare ? ShareTask(t) : Task(t, now))]),
            ["propertyBag"] = Bag(isShare ? WithDetails(job) : job.Properties),
        };
        if (!isShare && job.InternalProperties.Count > 0) info["internalPropertyBag"] = Bag(job.InternalProperties);
        if (!isShare && job.ProgressPercent is { } percent) info["progressPercentage"] = percent;
        if (!isShare && job.EstimatedRemaining is { } remaining) info["estimatedRemainingDuration"] = WireTimes.Duration(remaining);
        if (job.Errors.Length > 0) info["dynamicErrorMessage"] = job.Errors[0].Message;
        return info;
    }

    private static JsonNode ShareTask(JobTask task) => new JsonObject { ["taskId"] = task.Name, ["status"] = task.State };

    private static IEnumerable<KeyValuePair<string, string>> WithDetails(Job job) =>
        [.. job.Properties, .. job.Tasks.Where(t => t.Details is not null).Select(t => KeyValuePair.Create(t.Name, t.Details!)), .. job.InternalProperties];

    private static JsonNode Task(JobTask task, DateTimeOffset now)
    {
        var json = new JsonObject
        {
            ["taskId"] = task.Name,
            ["startTime"] = WireTimes.Text(task.StartedAt, WireTimes.None),
            ["endTime"] = WireTimes.Text(task.EndedAt, WireTimes.None),
            ["duration"] = WireTimes.Duration(task.StartedAt is { } from ? (task.EndedAt ?? now) - from : TimeSpan.Zero),
            ["status"] = task.State,
        };
        if (task.Details is not null) json["taskExecutionDetails"] = task.Details;
        return json;
    }

    private static JsonNode Error(JobError error, bool isShare)
    {
        var json = new JsonObject { ["errorCode"] = error.Code };
        // An AzureStorageErrorInfo has no title.
        if (!isShare) json["errorTitle"] = error.Title;
        json["errorString"] = error.Message;
        json["recommendations"] = new JsonArray([.. error.Recommendations.Select(r => (JsonNode)r)]);
        return json;
    }

    private static JsonObject Bag(IEnumerable<KeyValuePair<string, string>> bag) => new(bag.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value)));
}
