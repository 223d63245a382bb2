using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;

namespace Strongroom.Api.RecoveryServices.Operations;

/// <summary>What an asynchronous operation has come to: its own row and, where it follows one, its job.</summary>
internal sealed record OperationState(AsyncOperation Operation, Job? Job)
{
    public string Status => !Operation.FollowsJob || Job is null
        ? "Succeeded"
        : Job.State switch
        {
            JobStates.InProgress or JobStates.Cancelling => "InProgress",
            JobStates.Completed or JobStates.CompletedWithWarnings => "Succeeded",
            JobStates.Cancelled => "Canceled",
            _ => "Failed",
        };

    public bool IsRunning => Status == "InProgress";

    /// <summary>The error that the operation ended with, or null.</summary>
    public ArmException? Error => Status is "Failed" or "Canceled" && Job!.Errors.FirstOrDefault() is { } error
        ? ArmErrors.Custom(400, error.Title, error.Message)
        : null;

    /// <summary><c>OperationStatus</c> of bms.json.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["id"] = Operation.Id.ToString(),
            ["name"] = Operation.Id.ToString(),
            ["status"] = Status,
            ["startTime"] = WireTimes.Text(Operation.StartedAt),
            // A finished operation ends when it began: so the service prints it.
            ["endTime"] = IsRunning ? WireTimes.None : WireTimes.Text(Operation.StartedAt),
        };
        if (Error is { } error) json["error"] = new JsonObject { ["code"] = error.Code, ["message"] = error.Message };
        if (!IsRunning && Operation.Result is { } result) json["properties"] = result.DeepClone();
        if (!IsRunning && Operation.JobId is { } job)
            json["properties"] = new JsonObject { ["objectType"] = "OperationStatusJobExtendedInfo", ["jobId"] = job.ToString() };
        return json;
    }
}
