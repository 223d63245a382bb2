using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>What a restore would meet is told without restoring.</summary>
public sealed class OperationValidationTests : IAsyncLifetime
{
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        _point = await _web1.BackUpAsync();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private string Body(string? point = null, string type = "ValidateIaasVMRestoreOperationRequest")
    {
        JsonNode restore = JsonNode.Parse(_web1.RestoreBody(point ?? _point))!["properties"]!;
        return new JsonObject
        {
            ["id"] = $"{_web1.Item}/recoveryPoints/{point ?? _point}",
            ["properties"] = new JsonObject { ["objectType"] = type, ["restoreRequest"] = restore.DeepClone() },
        }.ToJsonString();
    }

    [Fact]
    public async Task A_restore_without_its_account_is_told_of_and_one_with_it_passes()
    {
        Golden.Check("validate-operation-refused", await _host.PostAsync(BackupHost.Vault + "/backupValidateOperation", Body()), _host);
        await _host.PutAsync(_web1.Account, """{"location":"home"}""");
        Answer passes = await _host.PostAsync(BackupHost.Vault + "/backupValidateOperation", Body());
        Assert.Empty(passes.Body!["validateOperationResponse"]!["validationResults"]!.AsArray());
        Assert.Empty((await _host.GetAsync(BackupHost.Vault + "/backupJobs?$filter=operation eq 'Restore'")).Value);
    }

    [Fact]
    public async Task A_triggered_validation_has_its_result_under_both_urls()
    {
        Answer accepted = await _host.PostAsync(BackupHost.Vault + "/backupTriggerValidateOperation", Body());
        Golden.Check("validate-trigger", accepted, _host);
        Golden.Check("validate-status", await _host.FollowAsync(accepted.Header("Azure-AsyncOperation")), _host);
        Golden.Check("validate-result", await _host.FollowAsync(accepted.Header("Location")), _host);
        Assert.Equal(404, (await _host.GetAsync(BackupHost.Vault + "/backupValidateOperationResults/" + Guid.NewGuid())).Status);
    }

    [Fact]
    public async Task A_point_that_does_not_exist_stands_in_the_results()
    {
        Answer answer = await _host.PostAsync(BackupHost.Vault + "/backupValidateOperation", Body("123"));
        Assert.Equal("BMSUserErrorRecoveryPointNotFound", (string?)answer.Body!["validateOperationResponse"]!["validationResults"]![0]!["code"]);
    }

    [Fact]
    public async Task A_request_that_nobody_could_read_is_refused()
    {
        Assert.Equal(400, (await _host.PostAsync(BackupHost.Vault + "/backupValidateOperation", Body(type: "Other"))).Status);
        Answer foreign = await _host.PostAsync(BackupHost.Vault + "/backupValidateOperation", Body().Replace("/vaults/v1/backupFabrics", "/vaults/v2/backupFabrics", StringComparison.Ordinal));
        Assert.Equal((400, "BMSUserErrorInvalidInput"), (foreign.Status, foreign.Code));
    }
}
