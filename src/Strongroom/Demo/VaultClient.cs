using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Client;

namespace Strongroom.Demo;

/// <summary>A protected virtual machine: its item's path and the machine's resource id.</summary>
internal sealed record ProtectedMachine(string Name, string ItemPath, string SourceResourceId);

/// <summary>The operations on one Recovery Services vault that protect, back up and restore a virtual machine.</summary>
internal sealed class VaultClient(ArmClient arm, string vaultPath, TimeProvider time)
{
    public const string ApiVersion = "2024-04-01";

    private const string Version = $"api-version={ApiVersion}";
    private const string VirtualMachines = "$filter=backupManagementType%20eq%20'AzureIaasVM'";

    /// <summary>The names of the policies for virtual machines.</summary>
    public async Task<IReadOnlyList<string>> ListPoliciesAsync(CancellationToken cancellationToken)
    {
        var policies = await arm.ListAsync($"{vaultPath}/backupPolicies?{Version}&{VirtualMachines}", cancellationToken);
        return [.. policies.Select(policy => policy.RequireText("a policy's name", "name"))];
    }

    public async Task<JsonObject> GetPolicyAsync(string name, CancellationToken cancellationToken) =>
        (await arm.GetAsync($"{vaultPath}/backupPolicies/{name}?{Version}", cancellationToken)).RequireBody();

    /// <summary>Makes the vault look for machines; done when the Location answers 204.</summary>
    public async Task DiscoverAsync(CancellationToken cancellationToken)
    {
        var started = await arm.PostAsync($"{vaultPath}/backupFabrics/Azure/refreshContainers?{Version}&{VirtualMachines}", null, cancellationToken);
        var ended = await arm.FollowLocationAsync(started, cancellationToken);
        if (ended.Status != System.Net.HttpStatusCode.NoContent)
            throw new DemoException($"The discovery of machines ended with HTTP {(int)ended.Status} and not with 204.");
    }

    public Task<IReadOnlyList<JsonNode>> ListProtectableAsync(CancellationToken cancellationToken) =>
        arm.ListAsync($"{vaultPath}/backupProtectableItems?{Version}&{VirtualMachines}", cancellationToken);

    /// <summary>Puts a machine under a policy and waits until the job that does so is done.</summary>
    public async Task<ProtectedMachine> ProtectAsync(JsonNode protectable, string policyId, CancellationToken cancellationToken)
    {
        var name = protectable.RequireText("the protectable item's name", "name");
        var source = protectable.RequireText("the machine's id", "properties", "virtualMachineId");
        var item = $"{vaultPath}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;{name}/protectedItems/vm;{name}";
        var body = Properties("protectedItemType", "Microsoft.Compute/virtualMachines");
        body["properties"]!["policyId"] = policyId;
        body["properties"]!["sourceResourceId"] = source;
        var started = await arm.PutAsync($"{item}?{Version}", body, cancellationToken);
        await FollowJobAsync(started, TimeLimits.Operation, _ => { }, cancellationToken);
        return new ProtectedMachine(protectable.Text("properties", "friendlyName") ?? name, item, source);
    }

    /// <summary>Backs a machine up now.</summary>
    /// <param name="machine">Protected before.</param>
    /// <param name="limit">How long the job may take.</param>
    /// <param name="progress">Told the part that is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the waiting, not the job.</param>
    public async Task<JobOutcome> BackUpAsync(ProtectedMachine machine, TimeSpan limit, Action<double> progress, CancellationToken cancellationToken)
    {
        var body = Properties("objectType", "IaasVMBackupRequest");
        body["properties"]!["recoveryPointExpiryTimeInUTC"] =
            time.GetUtcNow().AddDays(30).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var started = await arm.PostAsync($"{machine.ItemPath}/backup?{Version}", body, cancellationToken);
        return await FollowJobAsync(started, limit, progress, cancellationToken);
    }

    /// <summary>The recovery points of a machine by name.</summary>
    public async Task<IReadOnlyList<string>> ListRecoveryPointsAsync(ProtectedMachine machine, CancellationToken cancellationToken)
    {
        var points = await arm.ListAsync($"{machine.ItemPath}/recoveryPoints?{Version}", cancellationToken);
        return [.. points.Select(point => point.RequireText("a recovery point's name", "name"))];
    }

    /// <summary>Restores the disks of a recovery point into a storage account.</summary>
    public async Task<JobOutcome> RestoreDisksAsync(
        ProtectedMachine machine,
        string recoveryPoint,
        string storageAccountId,
        string location,
        TimeSpan limit,
        Action<double> progress,
        CancellationToken cancellationToken)
    {
        var body = Properties("objectType", "IaasVMRestoreRequest");
        var properties = body["properties"]!;
        properties["recoveryPointId"] = recoveryPoint;
        properties["recoveryType"] = "RestoreDisks";
        properties["sourceResourceId"] = machine.SourceResourceId;
        properties["storageAccountId"] = storageAccountId;
        properties["region"] = location;
        properties["createNewCloudService"] = false;
        properties["originalStorageAccountOption"] = false;
        var started = await arm.PostAsync($"{machine.ItemPath}/recoveryPoints/{recoveryPoint}/restore?{Version}", body, cancellationToken);
        return await FollowJobAsync(started, limit, progress, cancellationToken);
    }

    private async Task<JobOutcome> FollowJobAsync(ArmResponse started, TimeSpan limit, Action<double> progress, CancellationToken cancellationToken)
    {
        var operation = await arm.FollowOperationAsync(started, cancellationToken);
        var id = operation.RequireText("the job's id", "properties", "jobId");
        return await TimeLimits.WithinAsync(limit, $"job {id} of {started.Request} did not end", time, async limited =>
        {
            while (true)
            {
                var answer = await arm.GetAsync($"{vaultPath}/backupJobs/{id}?{Version}", limited);
                var job = answer.RequireBody();
                var status = job.RequireText("the job's status", "properties", "status");
                if (status is "Completed")
                {
                    progress(1);
                    return new JobOutcome(job);
                }

                if (status is not ("InProgress" or "Cancelling"))
                    throw JobFailure(job, id, status);
                if (job.Number("properties", "extendedInfo", "progressPercentage") is { } percent)
                    progress(percent / 100);
                await Task.Delay(ArmClient.PollDelay(answer.RetryAfter), time, limited);
            }
        }, cancellationToken);
    }

    private static ArmRequestException JobFailure(JsonNode job, string id, string status)
    {
        var details = job.Items("properties", "errorDetails").FirstOrDefault();
        var code = details.Number("errorCode") is { } number ? number.ToString(CultureInfo.InvariantCulture) : $"Job{status}";
        var message = details.Text("errorString") ?? details.Text("errorTitle") ?? "The server gave no reason.";
        return new ArmRequestException(code, message, null, $"job {id} ended as {status}");
    }

    private static JsonObject Properties(string discriminator, string type) => new() { ["properties"] = new JsonObject { [discriminator] = type } };
}
