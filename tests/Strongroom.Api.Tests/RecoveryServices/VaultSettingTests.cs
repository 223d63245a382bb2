using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Store;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>The operations of vaults besides making, changing and deleting them, and what their settings hold to.</summary>
public sealed class VaultSettingTests : IAsyncLifetime
{
    private const string Location = BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/locations/home";
    private const string Extended = BackupHost.Vault + "/extendedInformation/vaultExtendedInfo";
    private const string Encryption = BackupHost.Vault + "/backupEncryptionConfigs/backupResourceEncryptionConfig";

    private BackupHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await BackupHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task An_immutable_vault_keeps_its_data_and_a_locked_one_stays_so()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        await web1.BackUpAsync();
        await SetImmutabilityAsync("Unlocked");
        Answer deleted = await _host.DeleteAsync(web1.Item);
        Assert.Equal((400, "UserErrorOperationDeniedOnImmutableItem"), (deleted.Status, deleted.Code));
        Answer soft = await _host.PatchAsync(BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"Disabled"}}""");
        Assert.Equal((400, "BMSUserErrorDisablingSoftDeleteStateNotAllowed"), (soft.Status, soft.Code));
        await SetImmutabilityAsync("Disabled");
        await SetImmutabilityAsync("Unlocked");
        await SetImmutabilityAsync("Locked");
        foreach (string state in new[] { "Disabled", "Unlocked" })
        {
            Answer back = await _host.PatchAsync(BackupHost.Vault, Immutability(state));
            Assert.Equal((400, "UserErrorUnsupportedVaultImmutabilityStateChange"), (back.Status, back.Code));
        }

        // A PUT that does not speak of it leaves it as it is.
        Assert.Equal("Locked", State(await _host.PutAsync(BackupHost.Vault, """{"location":"home","properties":{}}""")));
        VaultStore store = await StoreAsync();
        Assert.Equal(Strongroom.Store.Immutability.Locked, store.Governance.Policy.Immutability);
        Assert.All(store.Snapshots, s => Assert.Equal(new DateTimeOffset(2026, 12, 31, 0, 0, 0, TimeSpan.Zero), s.LockedUntil));
        Assert.Equal(400, (await _host.DeleteAsync(web1.Item)).Status);
        Assert.Equal(400, (await _host.DeleteAsync(BackupHost.Vault)).Status);
        Assert.Equal("Protected", (string?)(await _host.GetAsync(web1.Item)).Body!["properties"]!["protectionState"]);
    }

    [Fact]
    public async Task A_put_whose_settings_the_store_must_follow_is_201_with_an_operation()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        await web1.BackUpAsync();
        Answer put = await _host.PutAsync(BackupHost.Vault, """{"location":"home","properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON","softDeleteRetentionPeriodInDays":30}}}}""");
        Assert.Equal((201, "Updating"), (put.Status, (string?)put.Body!["properties"]!["provisioningState"]));
        Assert.Equal("Succeeded", (string?)(await _host.SettledAsync(put)).Body!["status"]);
        VaultPolicy policy = (await StoreAsync()).Governance.Policy;
        Assert.Equal((true, 30), (policy.IsSoftDeleteAlwaysOn, policy.SoftDeleteDays));
        Answer fewer = await _host.PatchAsync(BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteRetentionPeriodInDays":29}}""");
        Assert.Equal((400, "BMSUserErrorDisablingSoftDeleteStateNotAllowed"), (fewer.Status, fewer.Code));
        Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteRetentionPeriodInDays":31}}""")).Status);
        Assert.Equal(31, (await StoreAsync()).Governance.Policy.SoftDeleteDays);
        Assert.False((bool)(await _host.GetAsync(BackupHost.Vault + "/backupconfig/vaultconfig")).Body!["properties"]!["isSoftDeleteFeatureStateEditable"]!);
    }

    [Fact]
    public async Task Days_of_immutability_are_shown_from_2026_on()
    {
        await _host.MakeVaultAsync();
        await _host.SettledAsync(await _host.PatchAsync(BackupHost.Vault, """{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked","configuration":{"type":"timeBased","durationInDays":90}}}}}"""));
        JsonNode now = Immutability(await _host.GetAsync(BackupHost.Vault, "2026-07-01"));
        Assert.Equal("""{"state":"Unlocked","configuration":{"type":"TimeBased","durationInDays":90}}""", now.ToJsonString());
        Assert.Equal("""{"state":"Unlocked"}""", Immutability(await _host.GetAsync(BackupHost.Vault, "2025-08-01")).ToJsonString());
    }

    [Fact]
    public async Task What_a_client_read_it_may_send_back()
    {
        await _host.MakeVaultAsync();
        foreach (string version in new[] { "2024-04-01", "2026-07-01" })
        {
            JsonObject vault = (await _host.GetAsync(BackupHost.Vault, version)).Body!.AsObject();
            vault.Remove("etag");
            Answer again = await _host.PutAsync(BackupHost.Vault, vault.ToJsonString(), version);
            Assert.Equal(200, again.Status);
            again.Body!.AsObject().Remove("etag");
            Assert.Equal(vault.ToJsonString(), again.Body.ToJsonString());
        }
    }

    [Fact]
    public async Task Restores_to_other_subscriptions_that_are_permanently_disabled_stay_so()
    {
        await _host.MakeVaultAsync();
        string Body(string? state) => """{"properties":{"restoreSettings":{"crossSubscriptionRestoreSettings":{"crossSubscriptionRestoreState":STATE}}}}""".Replace("STATE", state is null ? "null" : $"\"{state}\"", StringComparison.Ordinal);
        foreach (string state in new[] { "Disabled", "Enabled", "PermanentlyDisabled", "permanentlydisabled" }) Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault, Body(state))).Status);
        foreach (string? state in new[] { "Disabled", "Enabled", null }) Assert.Equal("BMSUserErrorInvalidInput", (await _host.PatchAsync(BackupHost.Vault, Body(state))).Code);
    }

    [Fact]
    public async Task Extended_information_is_kept_for_its_clients()
    {
        await _host.MakeVaultAsync();
        Assert.Equal((404, "ResourceExtendedInfoNotFound"), (await _host.GetAsync(Extended)) is var absent ? (absent.Status, absent.Code) : default);
        Answer put = await _host.PutAsync(Extended, """{"properties":{"integrityKey":"aaa","algorithm":"None"}}""");
        string etag = (string)put.Body!["etag"]!;
        Assert.Equal(put.Body.ToJsonString(), (await _host.GetAsync(Extended)).Body!.ToJsonString());
        Answer patched = await _host.PatchAsync(Extended, $$$"""{"etag":"{{{etag}}}","properties":{"encryptionKey":"bbb"}}""");
        Assert.Equal("""{"integrityKey":"aaa","encryptionKey":"bbb","algorithm":"None"}""", patched.Body!["properties"]!.ToJsonString());
        Assert.Equal(412, (await _host.PutAsync(Extended, $$$"""{"etag":"{{{etag}}}","properties":{"integrityKey":"ccc"}}""")).Status);
        Assert.Equal("""{"integrityKey":"ccc"}""", (await _host.PutAsync(Extended, """{"properties":{"integrityKey":"ccc"}}""")).Body!["properties"]!.ToJsonString());
    }

    [Fact]
    public async Task Usages_count_what_is_there()
    {
        await _host.MakeVaultAsync();
        var web1 = new ProtectedMachine(_host, _host.Fabric.Add("web1"));
        Assert.Equal(0, await UsageAsync(web1.Vault, "ProtectedItemCount"));
        await _host.PutAsync(web1.Item, web1.EnableBody());
        await web1.BackUpAsync();
        Assert.Equal((1, 1), (await UsageAsync(web1.Vault, "ProtectedItemCount"), await UsageAsync(web1.Vault, "IaaSVMProtectedItemCount")));
        Assert.InRange(await UsageAsync(web1.Vault, "GRSStorageUsage"), 1 << 20, 4 << 20);
        Assert.Equal(0, await UsageAsync(web1.Vault, "LRSStorageUsage"));
        _host.Fabric.Remove(web1.Machine);
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        Answer failing = await _host.PostAsync(web1.Item + "/backup", ProtectedMachine.BackupBody);
        await _host.WaitAsync(web1.Vault, await web1.JobOfAsync(failing));
        Assert.Equal((1, 1), (await UsageAsync(web1.Vault, "FailedJobsCount"), await UsageAsync(web1.Vault, "IaaSVMProtectedItemCriticalCount")));
        await _host.DeleteAsync(web1.Item);
        Assert.Equal(0, await UsageAsync(web1.Vault, "ProtectedItemCount"));
        Assert.Equal(0, await SummaryAsync(web1.Vault, "?$filter=type eq 'backupProtectedItemCountSummary'"));
        // Deleted softly, the machine still has its container.
        Assert.Equal(1, await SummaryAsync(web1.Vault, "?$filter=type eq 'BackupProtectionContainerCountSummary'"));
        Assert.Equal("InvalidFilterInQueryString", (await _host.GetAsync(web1.Vault + "/backupUsageSummaries?$filter=type eq 'x'")).Code);
    }

    [Fact]
    public async Task Names_are_free_taken_or_impossible()
    {
        await _host.MakeVaultAsync();
        string path = BackupHost.Lab + "/providers/Microsoft.RecoveryServices/locations/home/checkNameAvailability";
        string Body(string name, string type = "Microsoft.RecoveryServices/Vaults") => $$"""{"name":"{{name}}","type":"{{type}}"}""";
        Assert.Equal("AlreadyExists", (string?)(await _host.PostAsync(path, Body("V1"))).Body!["reason"]);
        Assert.Equal("Invalid", (string?)(await _host.PostAsync(path, Body("1 vault"))).Body!["reason"]);
        Assert.True((bool)(await _host.PostAsync(path, Body("v2"))).Body!["nameAvailable"]!);
        Assert.Equal(400, (await _host.PostAsync(path, Body("v2", "Microsoft.Compute/disks"))).Status);
        Assert.Equal("LocationNotAvailableForResourceType", (await _host.PostAsync(path.Replace("/home/", "/mars/", StringComparison.Ordinal), Body("v2"))).Code);
        Assert.Equal(400, (await _host.PostAsync(Location + "/capabilities", """{"type":"Microsoft.RecoveryServices/Vaults","properties":{"dnsZones":[{"subResource":"x"}]}}""")).Status);
    }

    [Fact]
    public async Task What_this_service_does_not_have_is_refused_or_empty_and_never_pretended()
    {
        await _host.MakeVaultAsync();
        Assert.Equal(404, (await _host.GetAsync(BackupHost.Vault + "/privateLinkResources/AzureBackup")).Status);
        Assert.Equal(404, (await _host.GetAsync(BackupHost.Vault + "/replicationVaultSettings/other")).Status);
        Assert.Equal(204, (await _host.DeleteAsync(BackupHost.Vault + "/registeredIdentities/dpm1")).Status);
        Assert.Equal(404, (await _host.DeleteAsync(BackupHost.Vaults + "/none/registeredIdentities/dpm1")).Status);
        Assert.Equal(200, (await _host.PutAsync(Encryption, """{"properties":{"encryptionAtRestType":"MicrosoftManaged","infrastructureEncryptionState":"Disabled"}}""")).Status);
        foreach ((string method, string path, string body) in new[]
        {
            ("PUT", Encryption, """{"properties":{"encryptionAtRestType":"CustomerManaged","keyUri":"https://k/keys/a"}}"""),
            ("PUT", Encryption, """{"properties":{"encryptionAtRestType":"MicrosoftManaged","infrastructureEncryptionState":"true"}}"""),
            ("PUT", BackupHost.Vault + "/certificates/c1", $$$"""{"properties":{"authType":"AAD","certificate":"{{{Certificate()}}}"}}"""),
            ("POST", BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig/prepareDataMove", $$"""{"targetResourceId":"{{BackupHost.Vaults}}/v2","targetRegion":"mars","dataMoveLevel":"Vault"}"""),
            ("POST", BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig/triggerDataMove", $$"""{"sourceResourceId":"{{BackupHost.Vaults}}/v2","sourceRegion":"mars","dataMoveLevel":"Container","correlationId":"a"}"""),
        })
        {
            Answer refused = await _host.SendAsync(method, path, body);
            Assert.Equal((path, 400, "BMSUserErrorOperationNotSupported"), (path, refused.Status, refused.Code));
        }

        Assert.Equal("BMSUserErrorInvalidInput", (await _host.PutAsync(BackupHost.Vault + "/certificates/c1", """{"properties":{"certificate":"bm90IG9uZQ=="}}""")).Code);
        foreach (string twin in new[] { "operationStatus", "operationResults" })
            Assert.Equal("BMSUserErrorOperationNotFound", (await _host.GetAsync($"{BackupHost.Vault}/backupstorageconfig/vaultstorageconfig/{twin}/{Guid.NewGuid()}")).Code);
    }

    [Fact]
    public async Task Deleted_vaults_are_known_from_2026_on_and_there_are_none()
    {
        await _host.MakeVaultAsync();
        await _host.DeleteAsync(BackupHost.Vault);
        Assert.Equal("InvalidResourceType", (await _host.GetAsync(Location + "/deletedVaults", "2025-08-01")).Code);
        Assert.Empty((await _host.GetAsync(Location + "/deletedVaults", "2026-07-01")).Value);
        Answer undelete = await _host.SendAsync("POST", Location + "/deletedVaults/v1/undelete", $$$"""{"properties":{"recoveryResourceGroupId":"{{{BackupHost.Lab}}}"}}""", "2026-07-01");
        Assert.Equal((404, "ResourceNotFound"), (undelete.Status, undelete.Code));
        Assert.Equal(400, (await _host.SendAsync("POST", Location + "/deletedVaults/v1/undelete", "{}", "2026-07-01")).Status);
        Assert.Equal(404, (await _host.GetAsync(Location + "/deletedVaults/v1/operations/x", "2026-07-01")).Status);
    }

    private async Task SetImmutabilityAsync(string state)
    {
        Answer answer = await _host.PatchAsync(BackupHost.Vault, Immutability(state));
        Assert.Equal(202, answer.Status);
        Assert.Equal("Succeeded", (string?)(await _host.SettledAsync(answer)).Body!["status"]);
        Assert.Equal(state, State(await _host.FollowAsync(answer.Header("Location"))));
    }

    private async Task<long> UsageAsync(string vault, string name) =>
        (long)(await _host.GetAsync(vault + "/usages")).Value.Single(u => (string?)u!["name"]!["value"] == name)!["currentValue"]!;

    private async Task<long> SummaryAsync(string vault, string query) => (long)Assert.Single((await _host.GetAsync(vault + "/backupUsageSummaries" + query)).Value)!["currentValue"]!;

    private async Task<VaultStore> StoreAsync()
    {
        Vault vault = Assert.Single(await _host.Services.GetRequiredService<IVaultRepository>().ListAsync(ArmHost.Subscription, null, CancellationToken.None));
        return await _host.Services.GetRequiredService<IVaultStores>().OpenAsync(vault.Key, CancellationToken.None);
    }

    private static string Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=agent", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        return Convert.ToBase64String(certificate.Export(X509ContentType.Cert));
    }

    private static string Immutability(string state) => """{"properties":{"securitySettings":{"immutabilitySettings":{"state":"STATE"}}}}""".Replace("STATE", state, StringComparison.Ordinal);

    private static JsonNode Immutability(Answer answer) => answer.Body!["properties"]!["securitySettings"]!["immutabilitySettings"]!;

    private static string? State(Answer answer) => (string?)Immutability(answer)["state"];
}
