using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>File shares on the wire: containers, items, points, jobs and restores, field for field, and what is wrong in requests.</summary>
public sealed class FileShareTests : IAsyncLifetime
{
    private const string Account = BackupHost.Lab + "/providers/Microsoft.Storage/storageAccounts/files1";
    private const string Container = BackupHost.Vault + "/backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;files1";
    private const string Policies = BackupHost.Vault + "/backupPolicies";

    private const string Daily = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2021-09-29T08:00:00.000Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2021-09-29T08:00:00.000Z"],"retentionDuration":{"count":5,"durationType":"Days"}}}}}
        """;

    private const string Hourly = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2021-09-29T08:00:00.000Z","scheduleWindowDuration":12}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":null,"retentionDuration":{"count":5,"durationType":"Days"}}}}}
        """;

    private const string Vaulted = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2021-09-29T08:00:00.000Z"]},
        "vaultRetentionPolicy":{"snapshotRetentionInDays":5,"vaultRetention":{"retentionPolicyType":"LongTermRetentionPolicy",
        "dailySchedule":{"retentionTimes":["2021-09-29T08:00:00.000Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}}
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("strongroom-shares-");
    private BackupHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        await _host.MakeVaultAsync();
        _folder.CreateSubdirectory("docs");
        _folder.CreateSubdirectory("spare");
        File.WriteAllText(Path.Combine(_folder.FullName, "docs", "a.txt"), "one");
        _host.FileServers.Folder = _folder.FullName;
        _host.FileServers.Accounts.Add("files1");
        _host.FileServers.Shares.AddRange(["docs", "spare"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Delete(true);
    }

    [Fact]
    public async Task Policies_are_answered_as_the_service_answers_them()
    {
        Check("share-policy-put-daily", await _host.PutAsync(Policies + "/daily", Daily));
        Check("share-policy-put-hourly", await _host.PutAsync(Policies + "/hourly", Hourly));
        Check("share-policy-put-vaulted", await _host.PutAsync(Policies + "/vaulted", Vaulted));
        Assert.Equal(3, (await _host.GetAsync(Policies + "?$filter=backupManagementType eq 'AzureStorage'")).Value.Count);
        Answer weekly = await _host.PutAsync(Policies + "/weekly", Daily.Replace("\"Daily\"", "\"Weekly\"", StringComparison.Ordinal));
        Assert.Equal((400, "BMSUserErrorInvalidPolicyInput"), (weekly.Status, weekly.Code));
    }

    [Fact]
    public async Task An_account_is_found_registered_inquired_and_unregistered()
    {
        string protectable = BackupHost.Vault + "/backupFabrics/Azure/protectableContainers?$filter=backupManagementType eq 'AzureStorage'";
        Assert.Empty((await _host.GetAsync(protectable)).Value);
        await _host.PostAsync(BackupHost.Vault + "/backupFabrics/Azure/refreshContainers?$filter=backupManagementType eq 'AzureStorage'");
        Check("protectable-containers-list", await _host.GetAsync(protectable));

        Answer registered = await RegisterAsync();
        Check("container-register", registered);
        Check("container-register-status", await _host.FollowAsync(registered.Header("Azure-AsyncOperation")));
        Check("container-register-result", await _host.FollowAsync(registered.Header("Location")));
        Assert.Empty((await _host.GetAsync(protectable)).Value);
        Check("storage-containers-list", await _host.GetAsync(BackupHost.Vault + "/backupProtectionContainers?$filter=backupManagementType eq 'AzureStorage' and status eq 'Registered'"));
        Assert.Empty((await _host.GetAsync(BackupHost.Vault + "/backupProtectionContainers?$filter=backupManagementType eq 'AzureIaasVM'")).Value);

        Answer inquired = await _host.PostAsync(Container + "/inquire?$filter=workloadType eq 'AzureFileShare'");
        Check("container-inquire", inquired);
        Assert.Equal(200, (await _host.FollowAsync(inquired.Header("Location"))).Status);
        Check("protectable-shares-list", await _host.GetAsync(BackupHost.Vault + "/backupProtectableItems?$filter=backupManagementType eq 'AzureStorage' and workloadType eq 'AzureFileShare'"));
        Assert.Empty((await _host.GetAsync(Container + "/items")).Value);

        Answer unregistered = await _host.DeleteAsync(Container);
        Check("container-unregister", unregistered);
        Assert.Equal(204, (await _host.FollowAsync(unregistered.Header("Location"))).Status);
        string operation = unregistered.Header("Location")!.Split('/')[^1].Split('?')[0];
        Assert.Equal(204, (await _host.GetAsync($"{Container}/operationResults/{operation}")).Status);
        Assert.Equal(404, (await _host.GetAsync(Container)).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Container)).Status);
    }

    [Fact]
    public async Task A_share_is_protected_backed_up_and_restored()
    {
        await _host.PutAsync(Policies + "/daily", Daily);
        await RegisterAsync();
        string item = await ItemAsync("docs");
        Answer enable = await _host.PutAsync(item, EnableBody());
        Check("share-item-put", enable);
        Check("share-item-put-job", await _host.GetAsync($"{BackupHost.Vault}/backupJobs/{await JobOfAsync(enable)}"));
        Check("share-item-get", await _host.GetAsync(item + "?$filter=expand eq 'extendedinfo'"));
        Assert.Single((await _host.GetAsync(BackupHost.Vault + "/backupProtectedItems?$filter=backupManagementType eq 'AzureStorage' and itemType eq 'AzureFileShare'")).Value);
        Assert.Empty((await _host.GetAsync(BackupHost.Vault + "/backupProtectedItems?$filter=backupManagementType eq 'AzureIaasVM'")).Value);
        Check("share-backup-status", await _host.PostAsync(
            BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/locations/home/backupStatus", $$"""{"resourceType":"AzureFileShare","resourceId":"{{Account}}","poLogicalName":"docs"}"""));

        Answer backup = await _host.PostAsync(item + "/backup", """{"properties":{"objectType":"AzureFileShareBackupRequest","recoveryPointExpiryTimeInUTC":"2026-12-02T00:00:00.000Z"}}""");
        Check("share-backup", backup);
        string job = await JobOfAsync(backup);
        await _host.WaitAsync(BackupHost.Vault, job);
        Check("share-backup-job", await _host.GetAsync($"{BackupHost.Vault}/backupJobs/{job}"));
        Check("share-jobs-list", await _host.GetAsync(BackupHost.Vault + "/backupJobs?$filter=operation eq 'Backup' and backupManagementType eq 'AzureStorage'"));
        Answer points = await _host.GetAsync(item + "/recoveryPoints");
        Check("share-recovery-points-list", points);
        string point = (string)points.Value[0]!["name"]!;
        Check("share-recovery-point-get-2025", await _host.SendAsync("GET", $"{item}/recoveryPoints/{point}", null, "2025-02-01"));

        Answer restore = await _host.PostAsync($"{item}/recoveryPoints/{point}/restore", RestoreBody());
        Check("share-restore", restore);
        string restored = await JobOfAsync(restore);
        Assert.Equal(restored, restore.Header("Azure-AsyncOperation")!.Split('/')[^1].Split('?')[0]);
        await _host.WaitAsync(BackupHost.Vault, restored);
        Check("share-restore-job", await _host.GetAsync($"{BackupHost.Vault}/backupJobs/{restored}"));
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "spare", "back", "a.txt")));

        Answer browsed = await _host.GetAsync(item.Replace("/Microsoft.RecoveryServices/", "/Strongroom.RecoveryServices/", StringComparison.Ordinal) + $"/recoveryPoints/{point}/files?path=/");
        Assert.Equal("a.txt", (string?)Assert.Single(browsed.Value)!["name"]);
        Answer mount = await _host.PostAsync($"{item}/recoveryPoints/{point}/provisionInstantItemRecovery", """{"properties":{"objectType":"IaasVMILRRegistrationRequest","recoveryPointId":"x","virtualMachineId":"x"}}""");
        Assert.Equal(400, mount.Status);
        Answer machine = await _host.PostAsync($"{item}/backup", """{"properties":{"objectType":"IaasVMBackupRequest"}}""");
        Assert.Equal((400, "BMSUserErrorInvalidInput"), (machine.Status, machine.Code));
    }

    [Fact]
    public async Task A_restore_that_is_wrong_is_refused()
    {
        await _host.PutAsync(Policies + "/daily", Daily);
        await RegisterAsync();
        string item = await ItemAsync("docs");
        await _host.PutAsync(item, EnableBody());
        Answer backup = await _host.PostAsync(item + "/backup", """{"properties":{"objectType":"AzureFileShareBackupRequest"}}""");
        await _host.WaitAsync(BackupHost.Vault, await JobOfAsync(backup));
        string point = (string)(await _host.GetAsync(item + "/recoveryPoints")).Value[0]!["name"]!;
        (string Name, string Value)[] wrong =
        [
            ("copyOptions", "\"Merge\""),
            ("recoveryType", "\"RestoreDisks\""),
            ("restoreRequestType", "null"),
            ("restoreFileSpecs", "[]"),
            ("restoreFileSpecs", "[{\"path\":\"../a\",\"fileSpecType\":\"File\"}]"),
            ("restoreFileSpecs", "[{\"path\":\"a\",\"fileSpecType\":\"Link\"}]"),
            ("restoreFileSpecs", "[{\"path\":\"\",\"fileSpecType\":\"File\"}]"),
            ("restoreFileSpecs", "[{\"path\":\"a\",\"fileSpecType\":\"File\",\"targetFolderPath\":\"x/../../y\"}]"),
            ("restoreFileSpecs", "[\"a\"]"),
            ("restoreFileSpecs", "\"a\""),
            ("targetDetails", "null"),
            ("targetDetails", "{\"name\":\"spare\",\"targetResourceId\":\"spare\"}"),
            ("targetDetails", "{\"name\":\"\",\"targetResourceId\":\"" + Account + "\"}"),
            ("sourceResourceId", "\"" + BackupHost.Lab + "/providers/Microsoft.Storage/storageAccounts/other\""),
            ("objectType", "\"IaasVMRestoreRequest\""),
        ];
        foreach ((string name, string value) in wrong)
        {
            var body = (JsonObject)JsonNode.Parse(RestoreBody())!;
            body["properties"]![name] = JsonNode.Parse(value);
            Answer refused = await _host.PostAsync($"{item}/recoveryPoints/{point}/restore", body.ToJsonString());
            Assert.Equal((name, value, 400, "BMSUserErrorInvalidInput"), (name, value, refused.Status, refused.Code));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder.FullName, "spare")));
    }

    [Fact]
    public async Task A_registration_that_is_wrong_is_refused()
    {
        string[] wrong =
        [
            "{\"properties\":{\"containerType\":\"StorageContainer\"}}",
            "{\"properties\":{\"containerType\":\"StorageContainer\",\"sourceResourceId\":\"nothing\"}}",
            // What reads like the account's id, and is none: rights are looked at by the id.
            "{\"properties\":{\"containerType\":\"StorageContainer\",\"sourceResourceId\":\"subscriptions/" + ArmHost.Subscription + "/resourceGroups/lab/providers/Microsoft.Storage/storageAccounts/files1\"}}",
            "{\"properties\":{\"containerType\":\"StorageContainer\",\"sourceResourceId\":\"" + BackupHost.Lab + "/providers/Microsoft.Storage/storageAccounts/other\"}}",
            "{\"properties\":{\"containerType\":\"StorageContainer\",\"backupManagementType\":\"AzureIaasVM\",\"sourceResourceId\":\"" + Account + "\"}}",
        ];
        foreach (string body in wrong) Assert.Equal((body, 400), (body, (await _host.PutAsync(Container, body)).Status));
        Assert.Equal(404, (await _host.GetAsync(Container)).Status);
    }

    [Fact]
    public async Task A_source_that_is_no_id_is_refused_for_shares_and_machines()
    {
        await _host.PutAsync(Policies + "/daily", Daily);
        await RegisterAsync();
        Answer share = await _host.PutAsync(await ItemAsync("docs"), EnableBody().Replace("\"sourceResourceId\":\"/", "\"sourceResourceId\":\"", StringComparison.Ordinal));
        Assert.Equal((400, "BMSUserErrorInvalidConfigureProtectionRequest"), (share.Status, share.Code));
        var web1 = new ProtectedMachine(_host, _host.Fabric.Add("Web1", "Lab"));
        Answer machine = await _host.PutAsync(web1.Item, web1.EnableBody().Replace("\"sourceResourceId\":\"/", "\"sourceResourceId\":\"", StringComparison.Ordinal));
        Assert.Equal((400, "BMSUserErrorInvalidConfigureProtectionRequest"), (machine.Status, machine.Code));
        Assert.Empty((await _host.GetAsync(BackupHost.Vault + "/backupProtectedItems")).Value);
    }

    private Task<Answer> RegisterAsync() =>
        _host.PutAsync(Container, $$"""{"properties":{"containerType":"StorageContainer","backupManagementType":"AzureStorage","workloadType":"AzureFileShare","sourceResourceId":"{{Account}}"} }""");

    private static string EnableBody() => $$"""{"properties":{"protectedItemType":"AzureFileShareProtectedItem","policyId":"{{Policies}}/daily","sourceResourceId":"{{Account}}"} }""";

    private static string RestoreBody() => $$"""
        {"properties":{"objectType":"AzureFileShareRestoreRequest","recoveryType":"AlternateLocation","sourceResourceId":"{{Account}}","copyOptions":"Overwrite","restoreRequestType":"ItemLevelRestore",
        "restoreFileSpecs":[{"path":"a.txt","fileSpecType":"File","targetFolderPath":"back"}],"targetDetails":{"name":"spare","targetResourceId":"{{Account}}"} } }
        """;

    /// <summary>The path of a share's item, as the protectable items tell it.</summary>
    private async Task<string> ItemAsync(string share)
    {
        JsonNode found = (await _host.GetAsync(BackupHost.Vault + "/backupProtectableItems?$filter=backupManagementType eq 'AzureStorage'")).Value.Single(i => (string?)i!["properties"]!["friendlyName"] == share)!;
        return $"{Container}/protectedItems/{(string)found["name"]!}";
    }

    private async Task<string> JobOfAsync(Answer accepted) => (string)(await _host.FollowAsync(accepted.Header("Azure-AsyncOperation"))).Body!["properties"]!["jobId"]!;

    private void Check(string name, Answer answer) => Golden.Check(name, answer, _host);
}
