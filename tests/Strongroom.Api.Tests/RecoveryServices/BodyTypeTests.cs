using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Each valid body with each of its values replaced by every other type: refused, in the right shape, and nothing changed.</summary>
public sealed class BodyTypeTests : IAsyncLifetime
{
    private static readonly string[] s_replacements = ["null", "7", "1.5e300", "\"zzz\"", "[]", "[[]]", "{}", "{\"a\":[1]}", "true"];

    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        await _host.PutAsync(_web1.Account, """{"location":"home"}""");
        await _host.PutAsync(Fill("{guard}"), """{"location":"home"}""");
        _point = await _web1.BackUpAsync();
        // Recovery points are named after their moment: the next one needs another.
        _host.Time.Advance(TimeSpan.FromMinutes(1));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("PUT", "{vault}", """{"location":"home","tags":{"a":"b"},"sku":{"name":"RS0","tier":"Standard","family":"f","size":"s"},"identity":{"type":"UserAssigned","userAssignedIdentities":{"/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/lab/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u1":{}}},"properties":{"publicNetworkAccess":"Enabled","monitoringSettings":{"azureMonitorAlertSettings":{"alertsForAllJobFailures":"Enabled","alertsForAllReplicationIssues":"Enabled"},"classicAlertSettings":{"alertsForCriticalOperations":"Enabled"}},"restoreSettings":{"crossSubscriptionRestoreSettings":{"crossSubscriptionRestoreState":"Enabled"}},"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"},"securitySettings":{"immutabilitySettings":{"state":"Disabled"},"softDeleteSettings":{"softDeleteState":"Enabled","softDeleteRetentionPeriodInDays":14,"enhancedSecurityState":"Enabled"}},"encryption":{"keyVaultProperties":{"keyUri":null},"kekIdentity":{},"infrastructureEncryption":"Disabled"}}}""")]
    [InlineData("PATCH", "{vault}", """{"tags":{"a":"b"},"sku":{"name":"RS0","tier":"Standard"},"identity":{"type":"SystemAssigned"},"properties":{"publicNetworkAccess":"Enabled","monitoringSettings":{"classicAlertSettings":{"alertsForCriticalOperations":"Enabled"}}}}""")]
    [InlineData("PATCH", "{vault}/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"Enabled","softDeleteRetentionPeriodInDays":14,"enhancedSecurityState":"Enabled","isSoftDeleteFeatureStateEditable":true,"storageModelType":"GeoRedundant","storageTypeState":"Locked","resourceGuardOperationRequests":[]}}""")]
    [InlineData("PUT", "{vault}/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"Enabled","enhancedSecurityState":"Enabled"}}""")]
    [InlineData("PUT", "{guard}", """{"location":"home","tags":{"a":"b"},"eTag":"e","identity":{},"properties":{"description":"d","vaultCriticalOperationExclusionList":["Microsoft.RecoveryServices/vaults/backupPolicies/write"]}}""")]
    [InlineData("PUT", "{vault}/backupResourceGuardProxies/VaultProxy", """{"properties":{"resourceGuardResourceId":"{guard}","resourceGuardOperationDetails":[],"lastUpdatedTime":"t","description":"d"}}""")]
    [InlineData("PUT", "{vault}/backupEncryptionConfigs/backupResourceEncryptionConfig", """{"properties":{"encryptionAtRestType":"MicrosoftManaged","keyUri":"","subscriptionId":"s","infrastructureEncryptionState":"Disabled","useSystemAssignedIdentity":true,"userAssignedIdentity":"","lastUpdateStatus":"NotEnabled"}}""")]
    [InlineData("PUT", "{vault}/extendedInformation/vaultExtendedInfo", """{"properties":{"integrityKey":"a","encryptionKey":"b","encryptionKeyThumbprint":"c","algorithm":"None"}}""")]
    [InlineData("PUT", "{vault}/backupstorageconfig/vaultstorageconfig", """{"properties":{"storageModelType":"GeoRedundant","storageType":"GeoRedundant","storageTypeState":"Locked","crossRegionRestoreFlag":false,"dedupState":"Disabled","xcoolState":"Disabled"}}""")]
    [InlineData("PATCH", "{vault}/backupstorageconfig/vaultstorageconfig", """{"properties":{"storageModelType":"GeoRedundant","crossRegionRestoreFlag":false}}""")]
    [InlineData("PUT", "{item}", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"{machine}","virtualMachineId":"{machine}","policyId":"{vault}/backupPolicies/DefaultPolicy","friendlyName":"web1","workloadType":"VM","backupManagementType":"AzureIaasVM","protectionState":"Protected","isRehydrate":false,"extendedProperties":{"diskExclusionProperties":{"diskLunList":[0],"isInclusionList":true}},"resourceGuardOperationRequests":[]}}""")]
    [InlineData("PUT", "{item}", """{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"{machine}","policyId":"","protectionState":"BackupsSuspended"}}""")]
    [InlineData("PUT", "{vault}/backupPolicies/Gold", """{"eTag":"e","tags":{},"properties":{"backupManagementType":"AzureIaasVM","policyType":"V1","protectedItemsCount":0,"resourceGuardOperationRequests":[],"timeZone":"UTC","instantRpRetentionRangeInDays":2,"instantRPDetails":{"azureBackupRGNamePrefix":"p","azureBackupRGNameSuffix":"s"},"tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":4,"durationType":"Months"}},"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T03:30:00Z"],"scheduleWeeklyFrequency":0},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T03:30:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}},"monthlySchedule":{"retentionScheduleFormatType":"Daily","retentionScheduleDaily":{"daysOfTheMonth":[{"date":15,"isLast":false}]},"retentionTimes":["2026-01-01T03:30:00Z"],"retentionDuration":{"count":24,"durationType":"Months"}}}}}""")]
    [InlineData("PUT", "{vault}/backupPolicies/Silver", """{"properties":{"backupManagementType":"AzureIaasVM","policyType":"V2","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2026-01-01T08:00:00Z","scheduleWindowDuration":12}},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T08:00:00Z"],"retentionDuration":{"count":31,"durationType":"Days"}}}}}""")]
    [InlineData("PUT", "{vault}/backupPolicies/Logs", """{"properties":{"backupManagementType":"AzureWorkload","workLoadType":"SQLDataBase","makePolicyConsistent":true,"settings":{"timeZone":"UTC","issqlcompression":false,"isCompression":false},"subProtectionPolicy":[{"policyType":"Log","schedulePolicy":{"schedulePolicyType":"LogSchedulePolicy","scheduleFrequencyInMins":60},"retentionPolicy":{"retentionPolicyType":"SimpleRetentionPolicy","retentionDuration":{"count":30,"durationType":"Days"}}}]}}""")]
    [InlineData("POST", "{item}/backup", """{"properties":{"objectType":"IaasVMBackupRequest","recoveryPointExpiryTimeInUTC":"2030-12-31T00:00:00.000Z"}}""")]
    [InlineData("POST", "{item}/recoveryPoints/{point}/restore", """{"properties":{"objectType":"IaasVMRestoreRequest","recoveryPointId":"{point}","recoveryType":"RestoreDisks","sourceResourceId":"{machine}","storageAccountId":"{account}","region":"home","createNewCloudService":false,"originalStorageAccountOption":false,"targetResourceGroupId":"{group}","restoreDiskLunList":[-1,0],"virtualNetworkId":"","subnetId":"","targetVirtualMachineId":"","diskEncryptionSetId":"","zones":[],"identityInfo":{},"encryptionDetails":{}}}""")]
    [InlineData("PUT", "{vault}/backupFabrics/Azure/backupProtectionIntent/vm;iaasvmcontainerv2;lab;web1", """{"properties":{"protectionIntentItemType":"AzureResourceItem","sourceResourceId":"{machine}","policyId":"{vault}/backupPolicies/DefaultPolicy","friendlyName":"web1"}}""")]
    [InlineData("POST", "{vault}/backupValidateOperation", """{"id":"{item}/recoveryPoints/{point}","properties":{"objectType":"ValidateIaasVMRestoreOperationRequest","restoreRequest":{"objectType":"IaasVMRestoreRequest","recoveryPointId":"{point}","recoveryType":"RestoreDisks","sourceResourceId":"{machine}","storageAccountId":"{account}"}}}""")]
    [InlineData("POST", "{status}", """{"resourceType":"VM","resourceId":"{machine}","poLogicalName":""}""")]
    public async Task A_value_of_another_type_is_refused_and_changes_nothing(string method, string path, string body)
    {
        (path, body) = (Fill(path), Fill(body));
        List<string> faults = [];
        int refused = 0;
        string before = await DumpAsync();
        foreach ((string place, string mutant, bool isTyped) in Mutants(body))
        {
            Answer answer = await _host.SendAsync(method, path, mutant);
            if (answer.Status is 400 or 409 or 404)
            {
                refused++;
                if (answer.Code is null || answer.Message is null) faults.Add($"{place}: {answer.Status} without an error");
                string after = await DumpAsync();
                if (after != before) faults.Add($"{place}: refused, but something changed");
                before = after;
                continue;
            }

            // What is accepted must have been a value of the right type, or null for something that may be absent.
            if (answer.Status >= 300 || isTyped) faults.Add($"{place}: {answer.Status} {answer.Body?.ToJsonString()}");
            await SettleAsync();
            before = await DumpAsync();
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(refused >= 8, $"Only {refused} were refused.");
        Assert.Empty(_host.Log.Lines);
    }

    /// <summary>Every body that differs from a good one in one value, and whether that value's type is wrong for certain.</summary>
    private static IEnumerable<(string Place, string Body, bool IsTyped)> Mutants(string body)
    {
        int count = Nodes(JsonNode.Parse(body)!).Count();
        for (int i = 0; i < count; i++)
        {
            foreach (string replacement in s_replacements)
            {
                JsonNode root = JsonNode.Parse(body)!;
                JsonNode node = Nodes(root).ElementAt(i);
                System.Text.Json.JsonValueKind was = node.GetValueKind(), isNow = JsonNode.Parse(replacement)?.GetValueKind() ?? System.Text.Json.JsonValueKind.Null;
                string place = $"{node.GetPath()} = {replacement}";
                node.ReplaceWith(JsonNode.Parse(replacement));
                bool areBothFlags = was is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False && isNow == System.Text.Json.JsonValueKind.True;
                yield return (place, root.ToJsonString(), was != isNow && isNow != System.Text.Json.JsonValueKind.Null && !areBothFlags);
            }
        }
    }

    private static IEnumerable<JsonNode> Nodes(JsonNode node)
    {
        IEnumerable<JsonNode?> children = node switch { JsonObject o => o.Select(p => p.Value), JsonArray a => a, _ => [] };
        foreach (JsonNode child in children.OfType<JsonNode>())
        {
            yield return child;
            foreach (JsonNode below in Nodes(child)) yield return below;
        }
    }

    private async Task SettleAsync()
    {
        foreach (JsonNode? job in (await _host.GetAsync(_web1.Vault + "/backupJobs?$filter=status eq 'InProgress'")).Value) await _host.WaitAsync(_web1.Vault, (string)job!["name"]!);
        // Recovery points are named after their moment.
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        // Later mutants start from a protected machine again.
        Assert.Equal(202, (await _host.PutAsync(_web1.Item, _web1.EnableBody())).Status);
    }

    /// <summary>All that a request could have changed.</summary>
    private async Task<string> DumpAsync() => string.Join('\n', await Task.WhenAll(new[]
    {
        BackupHost.Vaults, BackupHost.Vault + "/backupconfig/vaultconfig", BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig", BackupHost.Vault + "/backupPolicies",
        BackupHost.Vault + "/backupProtectedItems", BackupHost.Vault + "/backupProtectionContainers", BackupHost.Vault + "/backupJobs", _web1.Item + "/recoveryPoints",
    }.Select(async path => (await _host.GetAsync(path)).Body!.ToJsonString())));

    private string Fill(string text) => text.Replace("{vault}", BackupHost.Vault, StringComparison.Ordinal).Replace("{item}", _web1.Item, StringComparison.Ordinal)
        .Replace("{machine}", _web1.Machine.ResourceId, StringComparison.Ordinal).Replace("{point}", _point, StringComparison.Ordinal).Replace("{account}", _web1.Account, StringComparison.Ordinal)
        .Replace("{guard}", BackupHost.Lab + "/providers/Microsoft.DataProtection/resourceGuards/guard1", StringComparison.Ordinal)
        .Replace("{group}", BackupHost.Lab, StringComparison.Ordinal).Replace("{status}", BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/locations/home/backupStatus", StringComparison.Ordinal);
}
