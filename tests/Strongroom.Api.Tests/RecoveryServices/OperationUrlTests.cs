using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>az takes an operation's id and builds its own URL, the SDKs and Terraform follow the one they were given: each family answers for each operation.</summary>
public sealed class OperationUrlTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Every_family_answers_for_every_operation()
    {
        await CheckEndedAsync(await _host.PostAsync(_web1.Vault + "/backupFabrics/Azure/refreshContainers"), hasJob: false);
        await CheckEndedAsync(await _host.PutAsync(_web1.Item, _web1.EnableBody()));
        string point = await _web1.BackUpAsync();
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        Answer backup = await _host.PostAsync(_web1.Item + "/backup", ProtectedMachine.BackupBody);
        await CheckEndedAsync(backup);
        await _host.WaitAsync(_web1.Vault, await _web1.JobOfAsync(backup));
        await _host.PutAsync(_web1.Account, """{"location":"home"}""");
        Answer restore = await _host.PostAsync($"{_web1.Item}/recoveryPoints/{point}/restore", _web1.RestoreBody(point));
        await CheckEndedAsync(restore);
        await _host.WaitAsync(_web1.Vault, await _web1.JobOfAsync(restore));
        await CheckEndedAsync(await _host.PutAsync(_web1.Item, Stop("")));
        await CheckEndedAsync(await _host.DeleteAsync(_web1.Item));
        await CheckEndedAsync(await _host.PutAsync(_web1.Item, """{"properties":{"isRehydrate":true}}"""));
    }

    [Fact]
    public async Task A_deletion_is_in_progress_under_every_family_until_its_job_is_over()
    {
        await _host.PatchAsync(_web1.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"Disabled"}}""");
        // Two backups that do not end keep the worker from the deletion.
        var gate = new TaskCompletionSource();
        _host.Fabric.Ready = gate.Task;
        foreach (string name in new[] { "busy1", "busy2" })
        {
            var busy = new ProtectedMachine(_host, _host.Fabric.Add(name));
            Assert.Equal(202, (await _host.PutAsync(busy.Item, busy.EnableBody())).Status);
            Assert.Equal(202, (await _host.PostAsync(busy.Item + "/backup", ProtectedMachine.BackupBody)).Status);
        }

        Answer accepted = await _host.DeleteAsync(_web1.Item);
        Assert.Equal(202, accepted.Status);
        string id = ProtectedMachine.OperationOf(accepted);
        foreach (string url in Statuses(id))
        {
            Answer status = await _host.GetAsync(url);
            Assert.Equal((200, "InProgress", "0001-01-01T00:00:00"), (status.Status, (string?)status.Body!["status"], (string?)status.Body["endTime"]));
            Assert.Null(status.Body["properties"]);
        }

        foreach (string url in Results(id))
        {
            Answer result = await _host.GetAsync(url);
            Assert.Equal(202, result.Status);
            // Who follows the answer's own URLs stays in its family and finds the same operation.
            Assert.Equal(202, (await _host.FollowAsync(result.Header("Location"))).Status);
            Answer status = await _host.FollowAsync(result.Header("Azure-AsyncOperation"));
            Assert.Equal((200, id), (status.Status, (string?)status.Body!["id"]));
        }

        gate.SetResult();
        string job = (string)(await _host.GetAsync(_web1.Vault + "/backupJobs?$filter=operation eq 'DeleteBackupData'")).Value[0]!["name"]!;
        await _host.WaitAsync(_web1.Vault, job);
        await CheckEndedAsync(accepted, isItemGone: true);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_is_tracked_under_its_own_family_too()
    {
        var gate = new TaskCompletionSource();
        _host.Fabric.Ready = gate.Task;
        string job = await _web1.JobOfAsync(await _host.PostAsync(_web1.Item + "/backup", ProtectedMachine.BackupBody));
        Answer cancel = await _host.PostAsync($"{_web1.Vault}/backupJobs/{job}/cancel");
        Assert.Equal(202, cancel.Status);
        Assert.Contains($"/backupJobs/{job}/operationsStatus/", cancel.Header("Azure-AsyncOperation"), StringComparison.Ordinal);
        Assert.EndsWith("?api-version=2019-05-13-preview", cancel.Header("Azure-AsyncOperation"), StringComparison.Ordinal);
        Assert.Contains($"/backupJobs/{job}/operationResults/", cancel.Header("Location"), StringComparison.Ordinal);
        await CheckEndedAsync(cancel, hasJob: false);
        JsonNode ended = await _host.WaitAsync(_web1.Vault, job);
        Assert.Equal("Cancelled", (string?)ended["properties"]!["status"]);
        Assert.Equal(400158, (int)ended["properties"]!["errorDetails"]![0]!["errorCode"]!);
        Assert.Equal("BMSUserErrorJobNotCancellable", (await _host.PostAsync($"{_web1.Vault}/backupJobs/{job}/cancel")).Code);
    }

    [Fact]
    public async Task An_operation_is_not_found_in_another_vault_nor_under_an_unknown_id()
    {
        await _host.MakeVaultAsync(BackupHost.Vaults + "/v2");
        string id = ProtectedMachine.OperationOf(await _host.PutAsync(_web1.Item, _web1.EnableBody()));
        foreach (string url in Statuses(id).Concat(Results(id)))
        {
            Answer foreign = await _host.GetAsync(url.Replace("/vaults/v1/", "/vaults/v2/", StringComparison.Ordinal));
            Assert.Equal((404, true), (foreign.Status, foreign.Code is not null));
        }

        foreach (string unknown in new[] { Guid.NewGuid().ToString(), "nonsense", "NDA5NTtub25zZW5zZQ==" })
        {
            foreach (string url in Statuses(unknown).Concat(Results(unknown)))
            {
                Answer answer = await _host.GetAsync(url);
                Assert.Equal((404, true), (answer.Status, answer.Code is not null));
            }
        }
    }

    [Fact]
    public async Task A_failed_operation_says_what_its_job_says()
    {
        await _host.MakeVaultAsync(BackupHost.Vaults + "/v2");
        var again = new ProtectedMachine(_host, _web1.Machine, BackupHost.Vaults + "/v2");
        Answer accepted = await _host.PutAsync(again.Item, again.EnableBody());
        Assert.Equal(202, accepted.Status);
        Answer status = await _host.FollowAsync(accepted.Header("Azure-AsyncOperation"));
        Assert.Equal(("Failed", "UserErrorVmAlreadyProtected"), ((string?)status.Body!["status"], (string?)status.Body["error"]!["code"]));
        JsonNode job = (await _host.GetAsync($"{again.Vault}/backupJobs/{status.Body["properties"]!["jobId"]}")).Body!;
        Assert.Equal(("Failed", (string?)status.Body["error"]!["message"]), ((string?)job["properties"]!["status"], (string?)job["properties"]!["errorDetails"]![0]!["errorString"]));
        Answer result = await _host.FollowAsync(accepted.Header("Location"));
        Assert.Equal((400, "UserErrorVmAlreadyProtected"), (result.Status, result.Code));
        Assert.Equal(404, (await _host.GetAsync(again.Item)).Status);
    }

    /// <summary>The operation has ended well under its own URLs and under every other family.</summary>
    private async Task CheckEndedAsync(Answer accepted, bool hasJob = true, bool isItemGone = false)
    {
        Assert.Equal(202, accepted.Status);
        Assert.Null(accepted.Body);
        Assert.Equal("0", accepted.Header("Content-Length"));
        Assert.StartsWith(_host.Authority + "/subscriptions/", accepted.Header("Azure-AsyncOperation"), StringComparison.Ordinal);
        Assert.StartsWith(_host.Authority + "/subscriptions/", accepted.Header("Location"), StringComparison.Ordinal);
        string id = ProtectedMachine.OperationOf(accepted);
        string?[] answers = [.. await Task.WhenAll(Statuses(id).Select(async url => (await _host.GetAsync(url)).Body?.ToJsonString())), (await _host.FollowAsync(accepted.Header("Azure-AsyncOperation"))).Body?.ToJsonString()];
        JsonNode status = JsonNode.Parse(Assert.Single(answers.Distinct())!)!;
        Assert.Equal((id, id, "Succeeded"), ((string?)status["id"], (string?)status["name"], (string?)status["status"]));
        Assert.Equal((string?)status["startTime"], (string?)status["endTime"]);
        Assert.Equal(hasJob ? "OperationStatusJobExtendedInfo" : null, (string?)status["properties"]?["objectType"]);

        foreach (string url in Results(id))
        {
            Answer result = await _host.GetAsync(url);
            bool isItems = url.StartsWith(_web1.Item, StringComparison.Ordinal), isPolicys = url.Contains("/backupPolicies/", StringComparison.Ordinal);
            Assert.Equal((url, isPolicys || (isItems && !isItemGone) ? 200 : 204), (url, result.Status));
            if (isPolicys) Assert.Equal("DefaultPolicy", (string?)result.Body!["name"]);
            if (isItems && !isItemGone) Assert.Equal(_web1.Item, (string?)result.Body!["id"]);
        }

        Assert.Contains((await _host.FollowAsync(accepted.Header("Location"))).Status, new[] { 200, 204 });
    }

    private string[] Statuses(string id) =>
    [
        $"{_web1.Vault}/backupOperations/{id}", $"{_web1.Vault}/backupFabrics/Azure/operationsStatus/{id}", $"{_web1.Container}/operationsStatus/{id}",
        $"{_web1.Item}/operationsStatus/{id}", $"{_web1.Vault}/backupJobs/{Guid.Empty}/operationsStatus/{id}", $"{_web1.Vault}/backupPolicies/DefaultPolicy/operations/{id}",
    ];

    private string[] Results(string id) =>
    [
        $"{_web1.Vault}/backupOperationResults/{id}", $"{_web1.Vault}/backupFabrics/Azure/operationResults/{id}", $"{_web1.Container}/operationResults/{id}",
        $"{_web1.Item}/operationResults/{id}", $"{_web1.Vault}/backupJobs/{Guid.Empty}/operationResults/{id}", $"{_web1.Vault}/backupPolicies/DefaultPolicy/operationResults/{id}",
    ];

    private string Stop(string policy) => $$$"""
        {"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"{{{_web1.Machine.ResourceId}}}","policyId":"{{{policy}}}","protectionState":"ProtectionStopped"}}
        """;
}
