using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Intents to protect machines, and what portals ask before.</summary>
public sealed class ProtectionIntentTests : IAsyncLifetime
{
    private const string Location = BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/locations/home";
    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        await _host.MakeVaultAsync();
        _web1 = new ProtectedMachine(_host, _host.Fabric.Add("Web1"));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private string Intent => $"{BackupHost.Vault}/backupFabrics/Azure/backupProtectionIntent/vm;{_web1.NativeName}";

    private string Body(string type = "AzureResourceItem", string policy = "DefaultPolicy") => $$$"""
        {"properties":{"protectionIntentItemType":"{{{type}}}","sourceResourceId":"{{{_web1.Machine.ResourceId}}}","policyId":"{{{BackupHost.Vault}}}/backupPolicies/{{{policy}}}"}}
        """;

    [Fact]
    public async Task An_intent_protects_its_machine_and_can_be_taken_back_without_ending_the_protection()
    {
        Golden.Check("intent-put", await _host.PutAsync(Intent, Body()), _host);
        Assert.Equal("IRPending", (string?)(await _host.GetAsync(_web1.Item)).Body!["properties"]!["protectionState"]);
        Golden.Check("intents-list", await _host.GetAsync(BackupHost.Vault + "/backupProtectionIntents?$filter=backupManagementType eq 'AzureIaasVM' and itemName eq 'Web1'"), _host);
        Assert.Equal(200, (await _host.GetAsync(Intent)).Status);
        Assert.Equal(200, (await _host.PutAsync(Intent, Body(policy: "EnhancedPolicy"))).Status);
        Assert.EndsWith("/EnhancedPolicy", (string?)(await _host.GetAsync(Intent)).Body!["properties"]!["policyId"]);

        Assert.Equal(204, (await _host.DeleteAsync(Intent)).Status);
        Assert.Equal((404, "ResourceNotFound"), ((await _host.GetAsync(Intent)).Status, (await _host.GetAsync(Intent)).Code));
        Assert.Empty((await _host.GetAsync(BackupHost.Vault + "/backupProtectionIntents")).Value);
        Assert.Equal("EnhancedPolicy", (string?)(await _host.GetAsync(_web1.Item)).Body!["properties"]!["policyName"]);
        Assert.Equal(204, (await _host.DeleteAsync(Intent)).Status);
    }

    [Theory]
    [InlineData("backupManagementType eq 'AzureWorkload'", 0)]
    [InlineData("itemType eq 'VM'", 1)]
    [InlineData("itemType eq 'SQLInstance'", 0)]
    [InlineData("itemName eq 'web2'", 0)]
    [InlineData("parentName eq 'server'", 0)]
    public async Task A_key_filters(string filter, int count)
    {
        await _host.PutAsync(Intent, Body());
        Assert.Equal(count, (await _host.GetAsync(BackupHost.Vault + "/backupProtectionIntents?$filter=" + filter)).Value.Count);
    }

    [Theory]
    [InlineData("AzureWorkloadSQLAutoProtectionIntent", "BMSUserErrorOperationNotSupported")]
    [InlineData("Other", "BMSUserErrorInvalidInput")]
    public async Task An_intent_of_another_type_is_refused(string type, string code)
    {
        Answer answer = await _host.PutAsync(Intent, Body(type));
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Equal(404, (await _host.GetAsync(_web1.Item)).Status);
    }

    [Fact]
    public async Task An_intent_whose_protection_fails_is_not_kept()
    {
        await _host.MakeVaultAsync(BackupHost.Vaults + "/v2");
        var elsewhere = new ProtectedMachine(_host, _web1.Machine, BackupHost.Vaults + "/v2");
        await _host.PutAsync(elsewhere.Item, elsewhere.EnableBody());
        Answer answer = await _host.PutAsync(Intent, Body());
        Assert.Equal((400, "BMSUserErrorInvalidConfigureProtectionRequest"), (answer.Status, answer.Code));
        Assert.Equal(404, (await _host.GetAsync(Intent)).Status);
    }

    [Fact]
    public async Task Protection_is_checked_beforehand()
    {
        string body = $$"""{"resourceType":"VM","resourceId":"{{_web1.Machine.ResourceId}}","vaultId":"{{BackupHost.Vault}}","properties":""}""";
        Golden.Check("prevalidate-free", await _host.PostAsync(Location + "/backupPreValidateProtection", body), _host);
        await _host.PutAsync(_web1.Item, _web1.EnableBody());
        Golden.Check("prevalidate-protected", await _host.PostAsync(Location + "/backupPreValidateProtection", body), _host);
        Answer absent = await _host.PostAsync(Location + "/backupPreValidateProtection", body.Replace("/Web1", "/none", StringComparison.Ordinal));
        Assert.Equal("UserErrorVmNotFoundV2", (string?)absent.Body!["errorCode"]);
        Assert.Equal(404, (await _host.PostAsync(Location + "/backupPreValidateProtection", body.Replace("/v1", "/none", StringComparison.Ordinal))).Status);
    }

    [Theory]
    [InlineData("AzureVMResourceBackup", "Supported")]
    [InlineData("AzureBackupGoals", "NotSupported")]
    public async Task A_feature_is_supported_or_not(string feature, string status) =>
        Assert.Equal(status, (string?)(await _host.PostAsync(Location + "/backupValidateFeatures", $$"""{"featureType":"{{feature}}","vmSize":"Basic_A0"}""")).Body!["supportStatus"]);
}
