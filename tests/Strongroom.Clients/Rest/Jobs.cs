using System.Text.Json.Nodes;

namespace Strongroom.Clients.Rest;

/// <summary>Waits for jobs of a vault.</summary>
internal static class Jobs
{
    /// <summary>Whether a job of this status still has something to do.</summary>
    public static bool IsLive(JsonNode job) => Status(job) is "InProgress" or "Cancelling" or "Queued";

    public static string Status(JsonNode job) => job["properties"]!["status"]!.GetValue<string>();

    /// <summary>Waits until the job has ended, however it ended.</summary>
    public static async Task<JsonNode> WaitAsync(ArmClient client, Lab lab, string jobId, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(limit);
        JsonNode? job = null;
        try
        {
            while (true)
            {
                job = await client.GetAsync(lab.VaultUrl($"backupJobs/{jobId}"), timeout.Token);
                if (!IsLive(job))
                    return job;
                await Task.Delay(ArmClient.PollInterval, timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The job is still running after {limit}: {job?.ToJsonString()}");
        }
    }

    /// <summary>Waits for the job of a finished operation, and fails the test unless it is Completed.</summary>
    public static async Task<JsonNode> CompletedAsync(ArmClient client, Lab lab, JsonNode? operation, CancellationToken cancellationToken)
    {
        var jobId = operation?["properties"]?["jobId"]?.GetValue<string>();
        Assert.True(jobId is not null, $"The operation names no job: {operation?.ToJsonString()}");
        var job = await WaitAsync(client, lab, jobId, TimeSpan.FromMinutes(10), cancellationToken);
        Assert.True(Status(job) == "Completed", $"The job did not complete: {job.ToJsonString()}");
        return job;
    }
}
