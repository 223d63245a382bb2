using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>What each answer of the story looks like, field for field.</summary>
public sealed class GoldenTests : IAsyncLifetime
{
    private BackupHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await BackupHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_vault()
    {
        Answer created = await _host.PutAsync(BackupHost.Vault, """
            {"location":"home","tags":{"env":"lab"},"sku":{"name":"RS0","tier":"Standard"},"identity":{"type":"SystemAssigned"},"properties":{"publicNetworkAccess":"Enabled"}}
            """);
        Check("vault-put-new", created);
        Check("vault-operation-status", await _host.FollowAsync(created.Header("Azure-AsyncOperation")));
        Check("vault-get", await _host.GetAsync(BackupHost.Vault));
        Check("vault-put-existing", await _host.PutAsync(BackupHost.Vault, """{"location":"home","sku":{"name":"RS0"}}"""));
        Check("vault-patch", await _host.PatchAsync(BackupHost.Vault, """{"tags":{"a":"b"}}"""));
        Check("vault-list", await _host.GetAsync(BackupHost.Vaults));
        Check("vault-config-get", await _host.GetAsync(BackupHost.Vault + "/backupconfig/vaultconfig"));
        Check("vault-storage-config-get", await _host.GetAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig"));
        Check("vault-encryption-config-get", await _host.GetAsync(BackupHost.Vault + "/backupEncryptionConfigs/backupResourceEncryptionConfig"));
        Check("vault-usages-list", await _host.GetAsync(BackupHost.Vault + "/usages"));
        Check("vault-replication-usages-list", await _host.GetAsync(BackupHost.Vault + "/replicationUsages"));
        Check("vault-usage-summaries-list", await _host.GetAsync(BackupHost.Vault + "/backupUsageSummaries?$filter=type eq 'BackupProtectedItemCountSummary'"));
        Check("vault-private-link-resources-list", await _host.GetAsync(BackupHost.Vault + "/privateLinkResources"));
        Check("vault-replication-setting-get", await _host.GetAsync(BackupHost.Vault + "/replicationVaultSettings/default"));
        Check("vault-extended-info-absent", await _host.GetAsync(BackupHost.Vault + "/extendedInformation/vaultExtendedInfo"));
        Check("vault-extended-info-put", await _host.PutAsync(BackupHost.Vault + "/extendedInformation/vaultExtendedInfo", """{"properties":{"integrityKey":"a2V5","algorithm":"None"}}"""));
        Check("resource-guard-proxies-list", await _host.GetAsync(BackupHost.Vault + "/backupResourceGuardProxies"));
        Check("vault-get-absent", await _host.GetAsync(BackupHost.Vaults + "/none"));
        Check("vault-delete", await _host.DeleteAsync(BackupHost.Vault));
    }

    [Fact]
    public async Task Security_settings()
    {
        await _host.MakeVaultAsync();
        Answer unlocked = await _host.PatchAsync(BackupHost.Vault, """{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}""");
        Check("vault-patch-immutability", unlocked);
        await _host.SettledAsync(unlocked);
        Check("vault-patch-immutability-result", await _host.FollowAsync(unlocked.Header("Location")));
        Check("vault-get-2026", await _host.GetAsync(BackupHost.Vault, "2026-07-01"));
    }

    [Fact]
    public async Task Places_and_names()
    {
        await _host.MakeVaultAsync();
        string location = "/providers/Microsoft.RecoveryServices/locations/home";
        Check("check-name-taken", await _host.PostAsync(BackupHost.Lab + location + "/checkNameAvailability", """{"name":"V1","type":"Microsoft.RecoveryServices/Vaults"}"""));
        Check("check-name-free", await _host.PostAsync(BackupHost.Lab + location + "/checkNameAvailability", """{"name":"v2","type":"Microsoft.RecoveryServices/vaults"}"""));
        Check("capabilities", await _host.PostAsync(BackupHost.Subscription + location + "/capabilities", """{"type":"Microsoft.RecoveryServices/Vaults","properties":{"dnsZones":[{"subResource":"azurebackup"},{"subResource":"AzureSiteRecovery"}]}}"""));
        Check("deleted-vaults-list", await _host.GetAsync(BackupHost.Subscription + location + "/deletedVaults", "2026-07-01"));
        Check("deleted-vault-get-absent", await _host.GetAsync(BackupHost.Subscription + location + "/deletedVaults/v1", "2026-07-01"));
    }

    [Theory]
    [InlineData("DefaultPolicy")]
    [InlineData("EnhancedPolicy")]
    [InlineData("HourlyLogBackup")]
    public async Task A_policy_that_each_vault_has(string name)
    {
        await _host.MakeVaultAsync();
        Check("policy-" + name, await _host.GetAsync(BackupHost.Vault + "/backupPolicies/" + name));
    }

    [Fact]
    public async Task A_policy_of_its_own()
    {
        await _host.MakeVaultAsync();
        Check("policy-put", await _host.PutAsync(BackupHost.Vault + "/backupPolicies/Gold", PolicyBodies.Weekly));
        Check("policy-put-refused", await _host.PutAsync(BackupHost.Vault + "/backupPolicies/Gold", """{"properties":{"backupManagementType":"AzureIaasVM"}}"""));
        Check("policy-delete", await _host.DeleteAsync(BackupHost.Vault + "/backupPolicies/Gold"));
        Check("policy-get-absent", await _host.GetAsync(BackupHost.Vault + "/backupPolicies/Gold"));
    }

    [Fact]
    public async Task Discovery()
    {
        await _host.MakeVaultAsync();
        _host.Fabric.Add("Web1", "Lab");
        Answer refresh = await _host.PostAsync(BackupHost.Vault + "/backupFabrics/Azure/refreshContainers");
        Check("refresh-containers", refresh);
        Check("refresh-containers-status", await _host.FollowAsync(refresh.Header("Azure-AsyncOperation")));
        Check("refresh-containers-result", await _host.FollowAsync(refresh.Header("Location")));
        Check("protectable-items-list", await _host.GetAsync(BackupHost.Vault + "/backupProtectableItems?$filter=backupManagementType eq 'AzureIaasVM'"));
    }

    [Fact]
    public async Task Protection()
    {
        await _host.MakeVaultAsync();
        var web1 = new ProtectedMachine(_host, _host.Fabric.Add("Web1", "Lab"));
        Answer enable = await _host.PutAsync(web1.Item, web1.EnableBody());
        Check("item-put", enable);
        Check("item-put-status", await _host.FollowAsync(enable.Header("Azure-AsyncOperation")));
        Check("item-put-result", await _host.FollowAsync(enable.Header("Location")));
        Check("item-put-job", await _host.GetAsync($"{web1.Vault}/backupJobs/{await web1.JobOfAsync(enable)}"));
        Check("item-get-before-backup", await _host.GetAsync(web1.Item));
        Check("container-get", await _host.GetAsync(web1.Container));
        await web1.BackUpAsync();
        Check("item-get-after-backup", await _host.GetAsync(web1.Item + "?$filter=expand eq 'extendedinfo'"));
        Check("backup-status", await _host.PostAsync(BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/locations/home/backupStatus", $$"""{"resourceType":"VM","resourceId":"{{web1.Machine.ResourceId}}"}"""));
        await _host.DeleteAsync(web1.Item);
        Check("item-get-soft-deleted", await _host.GetAsync(web1.Item));
        Check("vault-delete-refused", await _host.DeleteAsync(web1.Vault));
    }

    [Fact]
    public async Task A_backup()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        var gate = new TaskCompletionSource();
        _host.Fabric.Ready = gate.Task;
        Answer accepted = await _host.PostAsync(web1.Item + "/backup", ProtectedMachine.BackupBody);
        Check("backup", accepted);
        string job = await web1.JobOfAsync(accepted);
        await WaitForTaskAsync(web1, job);
        Check("backup-status-of-operation", await _host.FollowAsync(accepted.Header("Azure-AsyncOperation")));
        Check("backup-job-running", await _host.GetAsync($"{web1.Vault}/backupJobs/{job}"));
        gate.SetResult();
        await _host.WaitAsync(web1.Vault, job);
        Check("backup-job-completed", await _host.GetAsync($"{web1.Vault}/backupJobs/{job}"));
        Check("jobs-list", await _host.GetAsync(web1.Vault + "/backupJobs?$filter=operation eq 'Backup'"));
        Check("recovery-points-list", await _host.GetAsync(web1.Item + "/recoveryPoints"));
    }

    [Fact]
    public async Task A_restore_of_disks()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        string point = await web1.BackUpAsync();
        await _host.PutAsync(web1.Account, """{"location":"home"}""");
        Answer accepted = await _host.PostAsync($"{web1.Item}/recoveryPoints/{point}/restore", web1.RestoreBody(point));
        Check("restore", accepted);
        string job = await web1.JobOfAsync(accepted);
        Assert.Equal(ProtectedMachine.OperationOf(accepted), job);
        await _host.WaitAsync(web1.Vault, job);
        Check("restore-job-completed", await _host.GetAsync($"{web1.Vault}/backupJobs/{job}"));
    }

    [Fact]
    public async Task A_restore_of_disks_into_the_pool_of_a_host()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        string point = await web1.BackUpAsync();
        await _host.PutAsync(web1.Account, """{"location":"home"}""");
        string group = $"{BackupHost.Subscription}/resourceGroups/{DiskPool.Group}";
        await _host.PutAsync(group, """{"location":"home"}""");
        JsonNode body = JsonNode.Parse(web1.RestoreBody(point))!;
        body["properties"]!["targetResourceGroupId"] = group;
        string job = await web1.JobOfAsync(await _host.PostAsync($"{web1.Item}/recoveryPoints/{point}/restore", body.ToJsonString()));
        await _host.WaitAsync(web1.Vault, job);
        Check("restore-to-pool-job-completed", await _host.GetAsync($"{web1.Vault}/backupJobs/{job}"));

        JsonArray disks = (await _host.GetAsync(group + "/providers/Microsoft.Compute/disks", "2023-10-02")).Body!["value"]!.AsArray();
        JsonNode os = disks.Single(disk => disk!["properties"]!["osType"] is not null)!;
        Assert.Equal(os.ToJsonString(), (await _host.GetAsync((string)os["id"]!, "2023-10-02")).Body!.ToJsonString());
        Assert.Matches($"^web1-osdisk-[0-9]{{8}}-[0-9]{{6}}-{job[..8]}$", (string?)os["name"]);
        JsonNode properties = os["properties"]!;
        Assert.Equal("""{"createOption":"Restore"}""", properties["creationData"]!.ToJsonString());
        Assert.Equal($$"""{"hostId":"{{DiskPool.HostId}}","pool":"vms","name":"web1-os.raw","path":"/vms/web1-os.raw","format":"raw"}""", properties["hostVolume"]!.ToJsonString());
        Assert.Equal(disks.Select(disk => (string)disk!["properties"]!["hostVolume"]!["name"]!).Order(), _host.Services.GetRequiredService<DiskPool>().Volumes.Keys.Order());

        Answer deleted = await _host.DeleteAsync((string)os["id"]!, "2023-10-02");
        Assert.True(deleted.Status is 200 or 202 or 204, $"{deleted.Status}");
        Assert.Equal(disks.Count, _host.Services.GetRequiredService<DiskPool>().Volumes.Count);
    }

    [Fact]
    public async Task A_deletion_with_its_data()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        await _host.PatchAsync(web1.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"Disabled"}}""");
        await web1.BackUpAsync();
        Answer accepted = await _host.DeleteAsync(web1.Item);
        Check("item-delete", accepted);
        string operation = ProtectedMachine.OperationOf(accepted);
        string job = await DeletionJobAsync(web1);
        await _host.WaitAsync(web1.Vault, job);
        Check("item-delete-status", await _host.GetAsync($"{web1.Vault}/backupOperations/{operation}"));
        Check("item-delete-result", await _host.FollowAsync(accepted.Header("Location")));
        Check("item-delete-job", await _host.GetAsync($"{web1.Vault}/backupJobs/{job}"));
    }

    private async Task<string> DeletionJobAsync(ProtectedMachine machine) =>
        (string)(await _host.GetAsync(machine.Vault + "/backupJobs?$filter=operation eq 'DeleteBackupData'")).Value[0]!["name"]!;

    /// <summary>Waits until the worker has begun the job's first task, so that what is compared does not depend on its speed.</summary>
    private async Task WaitForTaskAsync(ProtectedMachine machine, string job)
    {
        for (int i = 0; i < 500; i++)
        {
            Answer answer = await _host.GetAsync($"{machine.Vault}/backupJobs/{job}");
            if ((string?)answer.Body!["properties"]!["extendedInfo"]!["tasksList"]![0]!["status"] == "InProgress") return;
            await Task.Delay(20);
        }

        Assert.Fail("The job was never begun.");
    }

    private void Check(string name, Answer answer) => Golden.Check(name, answer, _host);
}
