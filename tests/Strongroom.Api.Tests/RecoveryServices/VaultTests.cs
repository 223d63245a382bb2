using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

public sealed class VaultTests : IAsyncLifetime
{
    private const string Group2 = BackupHost.Subscription + "/resourceGroups/lab2";

    private BackupHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await BackupHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("2022-10-01")]
    [InlineData("2024-04-01")]
    [InlineData("2026-07-01")]
    public async Task A_new_vault_is_201_with_an_operation_and_a_known_one_200(string version)
    {
        Answer created = await _host.PutAsync(BackupHost.Vault, """{"location":"Home","sku":{"name":"Standard"}}""", version);
        Assert.Equal(201, created.Status);
        Assert.Null(created.Header("Location"));
        Answer status = await _host.FollowAsync(created.Header("Azure-AsyncOperation"));
        Assert.Equal((200, "Succeeded"), (status.Status, (string?)status.Body!["status"]));
        string id = ProtectedMachine.OperationOf(created);
        Assert.StartsWith("4095;", System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(id)), StringComparison.Ordinal);
        // The other twin, and the id with its '=' escaped.
        Answer result = await _host.GetAsync($"{BackupHost.Vault}/operationResults/{id.Replace("=", "%3D", StringComparison.Ordinal)}");
        Assert.Equal((200, BackupHost.Vault), (result.Status, (string?)result.Body!["id"]));

        Answer updated = await _host.PutAsync(BackupHost.Vault, """{"location":"home"}""", version);
        Assert.Equal((200, null), (updated.Status, updated.Header("Azure-AsyncOperation")));
        Assert.Equal("Succeeded", (string?)updated.Body!["properties"]!["provisioningState"]);
        Assert.NotEqual((string?)created.Body!["etag"], (string?)updated.Body["etag"]);
    }

    [Fact]
    public async Task An_operation_of_a_vault_is_not_known_to_another_vault()
    {
        string id = ProtectedMachine.OperationOf(await _host.PutAsync(BackupHost.Vault, """{"location":"home"}"""));
        await _host.MakeVaultAsync(BackupHost.Vaults + "/v2");
        foreach (string twin in new[] { "operationStatus", "operationResults" })
        {
            Assert.Equal(404, (await _host.GetAsync($"{BackupHost.Vaults}/v2/{twin}/{id}")).Status);
            Assert.Equal(404, (await _host.GetAsync($"{BackupHost.Vault}/{twin}/nonsense")).Status);
            Assert.Equal("ResourceNotFound", (await _host.GetAsync($"{BackupHost.Vaults}/none/{twin}/{id}")).Code);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("/backupPolicies")]
    [InlineData("/backupJobs")]
    [InlineData("/backupconfig/vaultconfig")]
    [InlineData("/operationStatus/abc")]
    [InlineData("/backupOperations/00000000-0000-0000-0000-000000000000")]
    public async Task An_absent_vault_is_404_with_all_that_is_below_it(string below)
    {
        Answer answer = await _host.GetAsync(BackupHost.Vaults + "/none" + below);
        Assert.Equal((404, "ResourceNotFound", "gateway"), (answer.Status, answer.Code, answer.Header("x-ms-failure-cause")));
        Assert.Contains("'Microsoft.RecoveryServices/vaults/none' under resource group 'lab'", answer.Message, StringComparison.Ordinal);
        Answer nowhere = await _host.GetAsync(BackupHost.Vaults.Replace("/lab/", "/none/", StringComparison.Ordinal) + "/none" + below);
        Assert.Equal((404, "ResourceGroupNotFound"), (nowhere.Status, nowhere.Code));
    }

    [Fact]
    public async Task Vaults_are_listed_by_group_and_by_subscription_in_pages()
    {
        await _host.PutAsync(Group2, """{"location":"home"}""");
        string other = Group2 + "/providers/Microsoft.RecoveryServices/vaults/a9";
        await _host.MakeVaultAsync(other);
        foreach (int n in Enumerable.Range(1, 5)) await _host.MakeVaultAsync($"{BackupHost.Vaults}/v{n}");
        Assert.Equal(["v1", "v2", "v3", "v4", "v5"], await WalkAsync(BackupHost.Vaults + "?$top=2", 3));
        Assert.Equal(["v1", "v2", "v3", "v4", "v5", "a9"], await WalkAsync(BackupHost.Subscription + "/providers/Microsoft.RecoveryServices/vaults?$top=4", 2));
        Answer whole = await _host.GetAsync(BackupHost.Vaults);
        Assert.False(whole.Body!.AsObject().ContainsKey("nextLink"));
        // A vault in a list is the vault itself.
        Assert.Equal((await _host.GetAsync(other)).Body!.ToJsonString(), (await _host.GetAsync(Group2 + "/providers/Microsoft.RecoveryServices/vaults")).Value[0]!.ToJsonString());
        Assert.Equal(400, (await _host.GetAsync(BackupHost.Vaults + "?$skipToken=zzz")).Status);
        Assert.Equal(400, (await _host.GetAsync(BackupHost.Vaults + "?$top=0")).Status);
    }

    [Theory]
    [InlineData("systemassigned,userassigned", "SystemAssigned, UserAssigned")]
    [InlineData("SystemAssigned", "SystemAssigned")]
    [InlineData("UserAssigned", "UserAssigned")]
    [InlineData("none", "None")]
    public async Task An_identity_is_answered_in_the_services_spelling(string sent, string answered)
    {
        const string user = BackupHost.Lab + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u1";
        string users = sent.Contains("user", StringComparison.OrdinalIgnoreCase) ? ",\"userAssignedIdentities\":{\"" + user + "\":{}}" : "";
        Answer answer = await _host.PutAsync(BackupHost.Vault, $"{{\"location\":\"home\",\"identity\":{{\"type\":\"{sent}\"{users}}}}}");
        JsonNode identity = answer.Body!["identity"]!;
        Assert.Equal(answered, (string?)identity["type"]);
        Assert.Equal(answered.Contains("System", StringComparison.Ordinal), identity["principalId"] is not null);
        Assert.Equal(answered.Contains("System", StringComparison.Ordinal) ? ArmHost.Tenant : null, (string?)identity["tenantId"]);
        if (users.Length > 0) Assert.True(Guid.TryParse((string?)identity["userAssignedIdentities"]![user]!["clientId"], out _));
        // A principal keeps its id, and null takes an identity away.
        Answer again = await _host.PatchAsync(BackupHost.Vault, $"{{\"identity\":{{\"type\":\"{sent}\"}}}}");
        Assert.Equal((string?)identity["principalId"], (string?)again.Body!["identity"]!["principalId"]);
        if (users.Length == 0) return;
        Answer without = await _host.PatchAsync(BackupHost.Vault, $"{{\"identity\":{{\"type\":\"{sent}\",\"userAssignedIdentities\":{{\"{user}\":null}}}}}}");
        Assert.Empty(without.Body!["identity"]!["userAssignedIdentities"]!.AsObject());
    }

    [Fact]
    public async Task A_change_with_an_old_etag_is_refused_and_changes_nothing()
    {
        await _host.MakeVaultAsync();
        string old = (string)(await _host.GetAsync(BackupHost.Vault)).Body!["etag"]!;
        Assert.Matches("^W/\"datetime'\\d{4}-\\d\\d-\\d\\dT\\d\\d%3A\\d\\d%3A\\d\\d\\.\\d{7}Z'\"$", old);
        Assert.Equal(200, (await WithETagAsync("PATCH", old, """{"tags":{"n":"1"}}""")).Status);
        string now = (await _host.GetAsync(BackupHost.Vault)).Body!.ToJsonString();
        foreach ((string method, string? body) in new[] { ("PATCH", """{"tags":{}}"""), ("PUT", """{"location":"home"}"""), ("DELETE", (string?)null) })
        {
            Answer refused = await WithETagAsync(method, old, body);
            Assert.Equal((412, "PreconditionFailed"), (refused.Status, refused.Code));
        }

        Assert.Equal(now, (await _host.GetAsync(BackupHost.Vault)).Body!.ToJsonString());
        Assert.Equal(200, (await WithETagAsync("PATCH", "*", """{"tags":{}}""")).Status);
        Assert.Equal(202, (await WithETagAsync("DELETE", (string)(await _host.GetAsync(BackupHost.Vault)).Body!["etag"]!, null)).Status);
    }

    [Fact]
    public async Task A_location_never_changes()
    {
        await _host.MakeVaultAsync();
        foreach (Answer answer in new[] { await _host.PutAsync(BackupHost.Vault, """{"location":"cellar"}"""), await _host.PatchAsync(BackupHost.Vault, """{"location":"cellar"}""") })
            Assert.Equal((409, "InvalidResourceLocation"), (answer.Status, answer.Code));
        Assert.Equal("home", (string?)(await _host.GetAsync(BackupHost.Vault)).Body!["location"]);
        Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault, """{"location":"HOME"}""")).Status);
    }

    [Fact]
    public async Task A_put_replaces_tags_and_a_patch_keeps_what_it_does_not_name()
    {
        await _host.PutAsync(BackupHost.Vault, """{"location":"home","tags":{"a":"1"},"properties":{"publicNetworkAccess":"disabled"}}""");
        Answer patched = await _host.PatchAsync(BackupHost.Vault, """{"properties":{"monitoringSettings":{"classicAlertSettings":{"alertsForCriticalOperations":"Disabled"}}}}""");
        JsonNode properties = patched.Body!["properties"]!;
        Assert.Equal(("{\"a\":\"1\"}", "Disabled"), (patched.Body["tags"]!.ToJsonString(), (string?)properties["publicNetworkAccess"]));
        Assert.Equal(("Disabled", "Enabled"), ((string?)properties["monitoringSettings"]!["classicAlertSettings"]!["alertsForCriticalOperations"], (string?)properties["monitoringSettings"]!["azureMonitorAlertSettings"]!["alertsForAllJobFailures"]));
        Assert.Equal("{\"b\":\"2\"}", (await _host.PatchAsync(BackupHost.Vault, """{"tags":{"b":"2"}}""")).Body!["tags"]!.ToJsonString());
        Assert.Empty((await _host.PutAsync(BackupHost.Vault, """{"location":"home"}""")).Body!["tags"]!.AsObject());
    }

    [Theory]
    [InlineData("v1", """{}""", "LocationRequired")]
    [InlineData("v1", """{"location":"mars"}""", "LocationNotAvailableForResourceType")]
    [InlineData("v1", """{"location":"home","sku":{"name":"Gold"}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","sku":{}}""", "InvalidRequestContent")]
    [InlineData("v1", """{"location":"home","tags":{"a%b":"c"}}""", "InvalidTagNameCharacters")]
    [InlineData("v1", """{"location":"home","tags":{"a":5}}""", "InvalidRequestContent")]
    [InlineData("v1", """{"location":"home","identity":{"type":"Nobody"}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"publicNetworkAccess":"Sometimes"}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"redundancySettings":{"standardTierStorageRedundancy":"None"}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"securitySettings":{"immutabilitySettings":{"state":"Locked"}}}}""", "UserErrorUnsupportedVaultImmutabilityStateChange")]
    [InlineData("v1", """{"location":"home","properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked","configuration":{"type":"TimeBased"}}}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked","configuration":{"type":"AsPerPolicy","durationInDays":5}}}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"securitySettings":{"sourceScanConfiguration":{"state":"Enabled"}}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"encryption":{"infrastructureEncryption":"Enabled"}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"securitySettings":{"softDeleteSettings":{"softDeleteRetentionPeriodInDays":13}}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("v1", """{"location":"home","properties":{"encryption":{"keyVaultProperties":{"keyUri":"https://vault/keys/a"}}}}""", "BMSUserErrorInvalidInput")]
    [InlineData("a", """{"location":"home"}""", "InvalidResourceName")]
    [InlineData("1vault", """{"location":"home"}""", "InvalidResourceName")]
    [InlineData("v_1", """{"location":"home"}""", "InvalidResourceName")]
    [InlineData("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv", """{"location":"home"}""", "InvalidResourceName")]
    public async Task A_bad_vault_is_refused_and_not_made(string name, string body, string code)
    {
        Answer answer = await _host.PutAsync($"{BackupHost.Vaults}/{name}", body);
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.Empty((await _host.GetAsync(BackupHost.Vaults)).Value);
    }

    [Fact]
    public async Task Redundancy_and_soft_delete_are_the_same_through_both_their_doors()
    {
        await _host.PutAsync(BackupHost.Vault, """{"location":"home","properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"Disabled"}}}}""");
        Assert.Equal("Disabled", (string?)(await _host.GetAsync(BackupHost.Vault + "/backupconfig/vaultconfig")).Body!["properties"]!["softDeleteFeatureState"]);
        Assert.Equal(204, (await _host.PatchAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig", """{"properties":{"storageType":"ZoneRedundant"}}""")).Status);
        Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"AlwaysON"}}""")).Status);
        JsonNode properties = (await _host.GetAsync(BackupHost.Vault)).Body!["properties"]!;
        Assert.Equal("ZoneRedundant", (string?)properties["redundancySettings"]!["standardTierStorageRedundancy"]);
        Assert.Equal("AlwaysON", (string?)properties["securitySettings"]!["softDeleteSettings"]!["softDeleteState"]);
        Answer back = await _host.PatchAsync(BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteFeatureState":"Disabled"}}""");
        Assert.Equal((400, "BMSUserErrorDisablingSoftDeleteStateNotAllowed"), (back.Status, back.Code));
        Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault, """{"properties":{"redundancySettings":{"standardTierStorageRedundancy":"locallyRedundant"}}}""")).Status);
        Assert.Equal("LocallyRedundant", (string?)(await _host.GetAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig")).Body!["properties"]!["storageModelType"]);
        // From here on the vault itself is the only door to its redundancy.
        Answer other = await _host.PutAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig", """{"properties":{"storageModelType":"GeoRedundant"}}""");
        Assert.Equal((400, "BMSUserErrorRedundancySettingsUseVaultApi"), (other.Status, other.Code));
        Assert.Equal(200, (await _host.PutAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig", """{"properties":{"storageModelType":"LocallyRedundant"}}""")).Status);
    }

    [Fact]
    public async Task Redundancy_is_locked_by_the_first_item()
    {
        await ProtectedMachine.ProtectAsync(_host);
        JsonNode vault = (await _host.GetAsync(BackupHost.Vault)).Body!;
        Assert.Equal("V2", (string?)vault["properties"]!["backupStorageVersion"]);
        Assert.Equal("Locked", (string?)(await _host.GetAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig")).Body!["properties"]!["storageTypeState"]);
        Assert.Equal("BMSUserErrorStorageTypeLocked", (await _host.PutAsync(BackupHost.Vault + "/backupstorageconfig/vaultstorageconfig", """{"properties":{"storageModelType":"LocallyRedundant"}}""")).Code);
        Assert.Equal("BMSUserErrorStorageTypeLocked", (await _host.PatchAsync(BackupHost.Vault, """{"properties":{"redundancySettings":{"standardTierStorageRedundancy":"LocallyRedundant"}}}""")).Code);
    }

    [Theory]
    [InlineData("2022-10-01", 200)]
    [InlineData("2023-01-01", 202)]
    [InlineData("2024-04-01", 202)]
    [InlineData("2025-08-01", 202)]
    public async Task A_deletion_is_answered_as_its_api_version_says(string version, int status)
    {
        await _host.MakeVaultAsync();
        Answer deleted = await _host.DeleteAsync(BackupHost.Vault, version);
        Assert.Equal((status, null), (deleted.Status, deleted.Body));
        if (status == 202)
        {
            Answer operation = await _host.FollowAsync(deleted.Header("Azure-AsyncOperation"));
            Assert.Equal((200, "Succeeded"), (operation.Status, (string?)operation.Body!["status"]));
            Assert.Equal(200, (await _host.FollowAsync(deleted.Header("Location"))).Status);
        }

        Assert.Equal(404, (await _host.GetAsync(BackupHost.Vault)).Status);
        Assert.Equal(204, (await _host.DeleteAsync(BackupHost.Vault, version)).Status);
    }

    [Fact]
    public async Task A_vault_with_items_is_not_deleted_in_the_words_that_az_looks_for()
    {
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(_host);
        Answer live = await _host.DeleteAsync(BackupHost.Vault);
        Assert.Equal((400, "ServiceResourceNotEmptyWithContainerDetails"), (live.Status, live.Code));
        Assert.Contains("existing resources within the vault", live.Message, StringComparison.Ordinal);
        Assert.Contains(web1.NativeName, live.Message, StringComparison.Ordinal);
        await _host.DeleteAsync(web1.Item);
        Answer deleted = await _host.DeleteAsync(BackupHost.Vault);
        Assert.Equal((400, "ServiceResourceNotEmptyWithBackendMessage"), (deleted.Status, deleted.Code));
        Assert.Contains("web1", deleted.Message, StringComparison.Ordinal);
        Assert.Equal(200, (await _host.GetAsync(web1.Item)).Status);
    }

    [Fact]
    public async Task The_operations_of_the_provider_have_all_that_the_contract_lists()
    {
        Answer answer = await _host.GetAsync("/providers/Microsoft.RecoveryServices/operations");
        Assert.True(answer.Value.Count > 20);
        foreach (JsonNode? operation in answer.Value)
        {
            Assert.StartsWith("Microsoft.RecoveryServices/", (string?)operation!["name"], StringComparison.Ordinal);
            foreach (string text in new[] { "provider", "resource", "operation", "description" }) Assert.NotEmpty((string)operation["display"]![text]!);
            Assert.False((bool)operation["isDataAction"]!);
        }

        Assert.Equal(answer.Value.Count, (await WalkNamesAsync("/providers/microsoft.recoveryservices/operations?$top=7")).Distinct().Count());
    }

    private async Task<List<string?>> WalkAsync(string path, int pages)
    {
        List<string?> names = [];
        Answer answer = await _host.GetAsync(path);
        for (int page = 1; ; page++)
        {
            names.AddRange(answer.Value.Select(v => (string?)v!["name"]));
            if ((string?)answer.Body!["nextLink"] is not { } link)
            {
                Assert.Equal(pages, page);
                return names;
            }

            Assert.StartsWith(_host.Authority + "/subscriptions/", link, StringComparison.Ordinal);
            answer = await _host.FollowAsync(link);
        }
    }

    private async Task<List<string?>> WalkNamesAsync(string path)
    {
        List<string?> names = [];
        Answer answer = await _host.GetAsync(path);
        while (true)
        {
            names.AddRange(answer.Value.Select(v => (string?)v!["name"]));
            if ((string?)answer.Body!["nextLink"] is not { } link) return names;
            answer = await _host.FollowAsync(link);
        }
    }

    private async Task<Answer> WithETagAsync(string method, string etag, string? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"{_host.Authority}{BackupHost.Vault}?api-version={BackupHost.Version}");
        request.Headers.TryAddWithoutValidation("If-Match", etag);
        if (body is not null) request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await _host.SendAsync(request);
    }
}
