using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>What Azure has and this service has not is empty, not there, or refused; never pretended.</summary>
public sealed class AbsentFeatureTests : IAsyncLifetime
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

    [Theory]
    [InlineData("backupEngines", "backupManagementType eq 'MAB' and friendlyName eq 'a' and expand eq 'b'")]
    [InlineData("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'")]
    [InlineData("backupDeletedProtectionContainers", "backupManagementType eq 'AzureStorage' and status eq 'SoftDeleted'")]
    [InlineData("backupFabrics/Azure/protectionContainers/{container}/items", "backupManagementType eq 'AzureWorkload' and workloadItemType eq 'SQLInstance' and workloadType eq 'a' and protectionStatus eq 'b'")]
    public async Task A_list_is_empty_and_takes_its_filter_and_no_other(string list, string filter)
    {
        string path = BackupHost.Vault + "/" + list.Replace("{container}", "IaasVMContainer;" + _web1.NativeName, StringComparison.Ordinal);
        Assert.Empty((await _host.GetAsync(path)).Value);
        Assert.Empty((await _host.GetAsync($"{path}?$filter={filter}")).Value);
        Assert.Equal((400, "InvalidFilterInQueryString"), ((await _host.GetAsync(path + "?$filter=zzz eq '1'")).Status, (await _host.GetAsync(path + "?$filter=zzz eq '1'")).Code));
        Assert.Equal(404, (await _host.GetAsync(path.Replace("/vaults/v1/", "/vaults/none/", StringComparison.Ordinal))).Status);
    }

    [Theory]
    [InlineData("GET", "{vault}/backupEngines/dpm1", null, 404, "ResourceNotFound")]
    [InlineData("GET", "{vault}/privateEndpointConnections/p1", null, 404, "ResourceNotFound")]
    [InlineData("PUT", "{vault}/privateEndpointConnections/p1", """{"properties":{"privateEndpoint":{"id":"x"}}}""", 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("DELETE", "{vault}/privateEndpointConnections/p1", null, 204, null)]
    [InlineData("GET", "{vault}/privateEndpointConnections/p1/operationsStatus/1", null, 404, "BMSUserErrorOperationNotFound")]
    [InlineData("PUT", "{vault}/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;lab;vm1", """{"properties":{"containerType":"VMAppContainer","backupManagementType":"AzureWorkload"}}""", 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("PUT", "{vault}/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;a1", """{"properties":{"containerType":"Other"}}""", 400, "BMSUserErrorInvalidInput")]
    [InlineData("DELETE", "{vault}/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;a1", null, 204, null)]
    [InlineData("DELETE", "{container}", null, 400, "BMSUserErrorContainerHasDatasources")]
    [InlineData("POST", "{container}/inquire?$filter=workloadType eq 'SQLDataBase'", null, 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("POST", "{vault}/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;a1/inquire", null, 404, "BMSUserErrorContainerObjectNotFound")]
    [InlineData("GET", "{vault}/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;a1/items", null, 404, "BMSUserErrorContainerObjectNotFound")]
    [InlineData("POST", "{item}/recoveryPoints/{point}/move", """{"objectType":"MoveRPAcrossTiersRequest","sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""", 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("POST", "{item}/recoveryPoints/{point}/move", """{"sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""", 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("POST", "{item}/recoveryPoints/1/move", """{"objectType":"MoveRPAcrossTiersRequest","sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""", 404, "BMSUserErrorRecoveryPointNotFound")]
    [InlineData("POST", "{item}/recoveryPoints/{point}/move", """{"objectType":"MoveRPAcrossTiersRequest","sourceTierType":"HardenedRP","targetTierType":"Cold"}""", 400, "BMSUserErrorInvalidInput")]
    [InlineData("POST", "{item}/configureSourceScan", "{}", 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("GET", "{vault}/backupTieringCost/default/operationResults/1", null, 404, "BMSUserErrorOperationNotFound")]
    [InlineData("POST", "{vault}/backupTieringCost/default/fetchTieringCost", """{"objectType":"FetchTieringCostInfoForRehydrationRequest","containerName":"IaasVMContainer;{native}","protectedItemName":"VM;{native}","recoveryPointId":"{point}","rehydrationPriority":"High","sourceTierType":"ArchivedRP","targetTierType":"HardenedRP"}""", 400, "BMSUserErrorOperationNotSupported")]
    [InlineData("POST", "{vault}/backupTieringCost/default/fetchTieringCost", """{"objectType":"FetchTieringCostSavingsInfoForPolicyRequest","policyName":"none","sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""", 404, "BMSUserErrorPolicyNotFound")]
    public async Task It_is_not_there_or_refused(string method, string path, string? body, int status, string? code)
    {
        Answer answer = await _host.SendAsync(method, Fill(path), body is null ? null : Fill(body));
        Assert.Equal((status, code), (answer.Status, answer.Code));
    }

    [Theory]
    [InlineData("""{"objectType":"FetchTieringCostSavingsInfoForVaultRequest","sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""")]
    [InlineData("""{"objectType":"FetchTieringCostSavingsInfoForPolicyRequest","policyName":"DefaultPolicy","sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""")]
    [InlineData("""{"objectType":"FetchTieringCostSavingsInfoForProtectedItemRequest","containerName":"IaasVMContainer;{native}","protectedItemName":"VM;{native}","sourceTierType":"HardenedRP","targetTierType":"ArchivedRP"}""")]
    public async Task Nothing_is_saved_by_an_archive_that_is_not_there(string body) =>
        Golden.Check("tiering-savings", await _host.PostAsync(BackupHost.Vault + "/backupTieringCost/default/fetchTieringCost", Fill(body)), _host);

    [Theory]
    [InlineData("""{"objectType":"ListRecoveryPointsRecommendedForMoveRequest","excludedRPList":["1"]}""")]
    [InlineData("""{"excludedRPList":[]}""")] // as az sends it
    public async Task No_point_is_recommended_for_a_move(string body)
    {
        Answer answer = await _host.PostAsync(_web1.Item + "/recoveryPointsRecommendedForMove", body);
        Assert.Equal(200, answer.Status);
        Assert.Empty(answer.Value);
    }

    [Fact]
    public async Task A_security_pin_is_a_number_for_some_minutes()
    {
        Answer answer = await _host.PostAsync(BackupHost.Vault + "/backupSecurityPIN");
        Assert.Matches("^[1-9][0-9]{5}$", (string?)answer.Body!["securityPIN"]);
        Assert.Equal((string?)answer.Body["securityPIN"], (string?)answer.Body["token"]);
        Assert.Equal(_host.Time.GetUtcNow().AddMinutes(5).UtcTicks, (long)answer.Body["expiryTimeInUtcTicks"]!);
    }

    private string Fill(string text) => text.Replace("{vault}", BackupHost.Vault, StringComparison.Ordinal).Replace("{container}", _web1.Container, StringComparison.Ordinal)
        .Replace("{item}", _web1.Item, StringComparison.Ordinal).Replace("{point}", _point, StringComparison.Ordinal).Replace("{native}", _web1.NativeName, StringComparison.Ordinal);
}
