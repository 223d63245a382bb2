using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Resource guards, and vaults under them, as any caller with all rights meets them.</summary>
public sealed class ResourceGuardTests : IAsyncLifetime
{
    private const string Guards = "/providers/Microsoft.DataProtection/resourceGuards";
    private const string Safe = BackupHost.Subscription + "/resourceGroups/safe";
    private const string Guard = Safe + Guards + "/guard1";
    private const string Proxies = BackupHost.Vault + "/backupResourceGuardProxies";
    private const string Proxy = Proxies + "/VaultProxy";

    private BackupHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        await _host.PutAsync(Safe, """{"location":"home"}""");
        await _host.MakeVaultAsync();
        Assert.Equal(200, (await _host.PutAsync(Guard, """{"location":"home","tags":{"a":"b"}}""")).Status);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_guard_looks_so()
    {
        Check("guard-put", await _host.PutAsync(Guard, """{"location":"home","tags":{"a":"b"},"properties":{"vaultCriticalOperationExclusionList":["Microsoft.RecoveryServices/vaults/backupSecurityPIN/action","Microsoft.DataProtection/backupVaults/backupInstances/delete"]}}"""));
        Check("guard-list", await _host.GetAsync(Safe + Guards));
        Assert.Equal(Guard, (string?)Assert.Single((await _host.GetAsync(BackupHost.Subscription + Guards)).Value)!["id"]);
        Assert.Empty((await _host.GetAsync(BackupHost.Lab + Guards)).Value);
        Answer patched = await _host.PatchAsync(Guard, """{"tags":{"c":"d"}}""");
        Assert.Equal("""{"c":"d"}""", patched.Body!["tags"]!.ToJsonString());
        Assert.Equal(2, patched.Body["properties"]!["vaultCriticalOperationExclusionList"]!.AsArray().Count);
        Check("guard-requests-list", await _host.GetAsync(Guard + "/deleteProtectedItemRequests"));
        Check("guard-request-get", await _host.GetAsync(Guard + "/deleteProtectedItemRequests/default"));
        Assert.Empty((await _host.GetAsync(Guard + "/getBackupSecurityPINRequests")).Value);
        Assert.Equal(404, (await _host.GetAsync(Guard + "/getBackupSecurityPINRequests/default")).Status);
        Assert.Equal(404, (await _host.GetAsync(Guard + "/deleteProtectedItemRequests/other")).Status);
        Assert.Contains((await _host.GetAsync(Safe + "/resources")).Value, r => (string?)r!["type"] == "Microsoft.DataProtection/resourceGuards");
        Assert.Equal("Registered", (string?)(await _host.GetAsync(BackupHost.Subscription + "/providers/Microsoft.DataProtection")).Body!["registrationState"]);
        Assert.Equal(200, (await _host.DeleteAsync(Guard)).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Guard)).Status);
        Assert.Equal(404, (await _host.GetAsync(Guard)).Status);
    }

    [Theory]
    [InlineData("""{"properties":{}}""", "LocationRequired")]
    [InlineData("""{"location":"nowhere"}""", "LocationNotAvailableForResourceType")]
    [InlineData("""{"location":"home","properties":{"vaultCriticalOperationExclusionList":["Microsoft.RecoveryServices/vaults/backupconfig/write"]}}""", "UserErrorInvalidRequestParameter")]
    [InlineData("""{"location":"home","properties":{"vaultCriticalOperationExclusionList":["MICROSOFT.RECOVERYSERVICES/vaults/backupResourceGuardProxies/DELETE"]}}""", "UserErrorInvalidRequestParameter")]
    [InlineData("""{"location":"home","properties":{"vaultCriticalOperationExclusionList":["backupPolicies/write"]}}""", "InvalidRequestContent")]
    [InlineData("""{"location":"home","properties":{"vaultCriticalOperationExclusionList":[7]}}""", "InvalidRequestContent")]
    [InlineData("""{"location":"home","properties":{"vaultCriticalOperationExclusionList":"all"}}""", "InvalidRequestContent")]
    public async Task A_guard_that_cannot_be_is_refused(string body, string code)
    {
        Answer before = await _host.GetAsync(Guard);
        Answer refused = await _host.PutAsync(Guard, body);
        Assert.Equal((400, code), (refused.Status, refused.Code));
        Assert.Equal(before.Body!.ToJsonString(), (await _host.GetAsync(Guard)).Body!.ToJsonString());
    }

    [Fact]
    public async Task A_vault_under_a_guard_looks_so_and_keeps_the_guard_from_deletion()
    {
        Check("resource-guard-proxy-get-absent", await _host.GetAsync(Proxy));
        Assert.Equal(204, (await _host.DeleteAsync(Proxy)).Status);
        Assert.Equal(404, (await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteResourceGuardProxyRequests"))).Status);
        Check("resource-guard-proxy-put", await LinkAsync());
        Check("resource-guard-proxies-list-one", await _host.GetAsync(Proxies));
        Assert.Equal(200, (await _host.GetAsync(Proxies + "/vaultPROXY")).Status);
        Assert.Equal(404, (await _host.GetAsync(Proxies + "/other")).Status);
        Assert.Equal("Enabled", await AuthorizationAsync());

        Answer kept = await _host.DeleteAsync(Guard);
        Assert.Equal((409, "UserErrorResourceGuardInUse"), (kept.Status, kept.Code));
        Answer group = await _host.DeleteAsync(Safe);
        Assert.Equal((409, "ResourceGroupDeletionBlocked"), (group.Status, group.Code));

        Check("resource-guard-proxy-delete-refused", await _host.DeleteAsync(Proxy));
        Check("resource-guard-proxy-unlock", await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteResourceGuardProxyRequests")));
        Assert.Equal(200, (await _host.DeleteAsync(Proxy)).Status);
        Assert.Equal("Disabled", await AuthorizationAsync());
        Assert.Empty((await _host.GetAsync(Proxies)).Value);
        Assert.Equal(200, (await _host.DeleteAsync(Guard)).Status);
    }

    [Fact]
    public async Task An_unlocked_removal_is_over_after_its_time_and_with_the_guard()
    {
        await LinkAsync();
        string before = (await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteResourceGuardProxyRequests"))).Body!["unlockDeleteExpiryTime"]!.GetValue<string>();
        Assert.Equal(_host.Time.GetUtcNow().AddMinutes(10), DateTimeOffset.Parse(before, System.Globalization.CultureInfo.InvariantCulture));
        _host.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(400, (await _host.DeleteAsync(Proxy)).Status);

        // Another guard takes the place of the first only where the first lets the vault go; what the first allowed is not allowed by the second.
        Assert.Equal(200, (await _host.PutAsync(Safe + Guards + "/guard2", """{"location":"home"}""")).Status);
        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(await LinkAsync("guard2")));
        Assert.Equal(200, (await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteResourceGuardProxyRequests"))).Status);
        Assert.Equal(200, (await LinkAsync()).Status);
        Assert.Equal(200, (await LinkAsync("guard2")).Status);
        Assert.Equal(400, (await _host.DeleteAsync(Proxy)).Status);
    }

    [Theory]
    [InlineData("PUT", "", """{"properties":{}}""")]
    [InlineData("PUT", "", """{}""")]
    [InlineData("PUT", "", """{"properties":{"resourceGuardResourceId":7}}""")]
    [InlineData("PUT", "", """{"properties":{"resourceGuardResourceId":"{vault}"}}""")]
    [InlineData("PUT", "", """{"properties":{"resourceGuardResourceId":"{guard}x"}}""")]
    [InlineData("PUT", "x", """{"properties":{"resourceGuardResourceId":"{guard}"}}""")]
    [InlineData("POST", "/unlockDelete", """{}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":[]}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":[null]}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":["{guard}"]}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":["{guard}x/deleteProtectedItemRequests/default"]}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":["{guard}/disableSoftDeleteRequests/default"]}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":["{guard}/deleteProtectedItemRequests/default"],"resourceToBeDeleted":"{vault}"}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":["{guard}/deleteProtectedItemRequests/default"],"resourceToBeDeleted":"{vault}2/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;lab;web1/protectedItems/VM;iaasvmcontainerv2;lab;web1"}""")]
    [InlineData("POST", "/unlockDelete", """{"resourceGuardOperationRequests":["{guard}/deleteProtectedItemRequests/default"],"resourceToBeDeleted":{}}""")]
    public async Task A_request_that_makes_no_sense_is_400_and_changes_nothing(string method, string below, string body)
    {
        await LinkAsync();
        string before = (await _host.GetAsync(BackupHost.Vault)).Body!.ToJsonString();
        Answer refused = await _host.SendAsync(method, Proxy + below, body.Replace("{guard}", Guard, StringComparison.Ordinal).Replace("{vault}", BackupHost.Vault, StringComparison.Ordinal));
        Assert.Equal(400, refused.Status);
        Assert.NotNull(refused.Code);
        Assert.Equal(before, (await _host.GetAsync(BackupHost.Vault)).Body!.ToJsonString());
    }

    [Fact]
    public async Task A_guard_is_in_the_vaults_location()
    {
        string far = BackupHost.Vaults + "/far";
        string location = (string)(await _host.GetAsync(BackupHost.Subscription + "/locations")).Value[^1]!["name"]!;
        Assert.NotEqual("home", location);
        await _host.MakeVaultAsync(far, location);
        Assert.Equal((400, "UserErrorInvalidRequestParameter"), Outcome(await _host.PutAsync(far + "/backupResourceGuardProxies/VaultProxy", LinkBody("guard1"))));
    }

    [Fact]
    public async Task Every_critical_operation_is_refused_without_its_request_and_done_with_it()
    {
        ProtectedMachine web1 = new(_host, _host.Fabric.Add("web1"));
        await _host.PutAsync(web1.Account, """{"location":"home"}""");
        await _host.PutAsync(BackupHost.Vault + "/backupPolicies/Daily", PolicyBodies.Daily);
        Assert.Equal(202, (await _host.PutAsync(web1.Item, web1.EnableBody("Daily"))).Status);
        string point = await web1.BackUpAsync();
        await _host.PatchAsync(BackupHost.Vault, """{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Unlocked"}}}}""");
        await LinkAsync();

        await GuardedAsync("PATCH", BackupHost.Vault, """{"properties":{"securitySettings":{"immutabilitySettings":{"state":"Disabled"}}}}""", "reduceImmutabilityStateRequests");
        string less = PolicyBodies.Daily.Replace("\"count\":10", "\"count\":9", StringComparison.Ordinal);
        Assert.NotEqual(PolicyBodies.Daily, less);
        await GuardedAsync("PUT", BackupHost.Vault + "/backupPolicies/Daily", less, "updateProtectionPolicyRequests");
        Assert.Equal(200, (await _host.PutAsync(BackupHost.Vault + "/backupPolicies/Less", less.Replace("\"count\":9", "\"count\":8", StringComparison.Ordinal))).Status);
        await GuardedAsync("PUT", web1.Item, web1.EnableBody("Less"), "updateProtectedItemRequests");
        await GuardedAsync("POST", web1.Item + $"/recoveryPoints/{point}/restore", web1.RestoreBody(point), "triggerRestoreRequests");
        await WaitForJobsAsync();
        await GuardedAsync("POST", BackupHost.Vault + "/backupSecurityPIN", "{}", "getBackupSecurityPINRequests");
        await GuardedAsync("PUT", web1.Item, $$$"""{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"{{{web1.Machine.ResourceId}}}","protectionState":"ProtectionStopped"}}""", "stopProtectionWithRetainDataRequests");
        await GuardedAsync("PATCH", BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"enhancedSecurityState":"Disabled"}}""", "disableSoftDeleteRequests");
        await GuardedAsync("PATCH", BackupHost.Vault, """{"properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"Disabled"}}}}""", "disableSoftDeleteRequests");
        await _host.PatchAsync(BackupHost.Vault, """{"properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"Enabled"}}}}""");
        await GuardedAsync("PUT", BackupHost.Vault, """{"location":"home","properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"Disabled"}}}}""", "disableSoftDeleteRequests");

        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(await _host.DeleteAsync(web1.Item)));
        Assert.Equal(200, (await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteProtectedItemRequests", web1.Item.Replace("web1", "web2", StringComparison.Ordinal)))).Status);
        Assert.Equal(400, (await _host.DeleteAsync(web1.Item)).Status);
        Assert.Equal(200, (await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteProtectedItemRequests", web1.Item))).Status);
        Assert.Equal(400, (await _host.DeleteAsync(Proxy)).Status);
        Assert.Equal(202, (await _host.DeleteAsync(web1.Item)).Status);
    }

    [Fact]
    public async Task What_strengthens_a_vault_and_what_its_guard_excludes_needs_nothing()
    {
        ProtectedMachine web1 = new(_host, _host.Fabric.Add("web1"));
        await LinkAsync();
        Assert.Equal(202, (await _host.PutAsync(web1.Item, web1.EnableBody())).Status);
        Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault, """{"tags":{"a":"b"},"properties":{"publicNetworkAccess":"Disabled"}}""")).Status);
        Assert.Equal(200, (await _host.PatchAsync(BackupHost.Vault + "/backupconfig/vaultconfig", """{"properties":{"softDeleteRetentionPeriodInDays":90}}""")).Status);
        Assert.Equal(400, (await _host.DeleteAsync(web1.Item)).Status);

        // The guard's owner changes what it protects, and all its vaults follow at once.
        Assert.Equal(200, (await _host.PutAsync(Guard, """{"location":"home","properties":{"vaultCriticalOperationExclusionList":["Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete"]}}""")).Status);
        Assert.DoesNotContain("deleteProtectedItemRequests", (await _host.GetAsync(Proxy)).Body!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(202, (await _host.DeleteAsync(web1.Item)).Status);
    }

    [Fact]
    public async Task An_intent_is_no_way_around_the_guard()
    {
        ProtectedMachine web1 = new(_host, _host.Fabric.Add("web1"));
        Assert.Equal(202, (await _host.PutAsync(web1.Item, web1.EnableBody())).Status);
        await _host.PutAsync(BackupHost.Vault + "/backupPolicies/Daily", PolicyBodies.Daily);
        await LinkAsync();
        string intent = $"{BackupHost.Vault}/backupFabrics/Azure/backupProtectionIntent/vm;{web1.NativeName}";
        string body = $$$"""{"properties":{"protectionIntentItemType":"AzureResourceItem","sourceResourceId":"{{{web1.Machine.ResourceId}}}","policyId":"{{{BackupHost.Vault}}}/backupPolicies/Daily"}}""";
        Answer refused = await _host.PutAsync(intent, body);
        Assert.Equal((400, "BMSUserErrorInvalidInput"), Outcome(refused));
        Assert.Equal("DefaultPolicy", (string?)(await _host.GetAsync(web1.Item)).Body!["properties"]!["policyName"]);

        // What the guard leaves unprotected needs nothing of it, through this door as through the others.
        const string exclusion = """{"location":"home","properties":{"vaultCriticalOperationExclusionList":["Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write"]}}""";
        Assert.Equal(200, (await _host.PutAsync(Guard, exclusion)).Status);
        Assert.Equal(200, (await _host.PutAsync(intent, body)).Status);
        Assert.Equal("Daily", (string?)(await _host.GetAsync(web1.Item)).Body!["properties"]!["policyName"]);
    }

    [Fact]
    public async Task No_vault_comes_under_a_guard_that_is_being_deleted()
    {
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(200, (await _host.PutAsync(Guard, """{"location":"home"}""")).Status);
            Answer[] answers = await Task.WhenAll(LinkAsync(), _host.DeleteAsync(Guard));
            bool isLinked = (await _host.GetAsync(Proxies)).Value.Count == 1, isThere = (await _host.GetAsync(Guard)).Status == 200;
            Assert.True(isLinked == isThere, $"Linked: {isLinked}, there: {isThere}");
            Assert.Equal(isLinked ? (200, 409) : (400, 200), (answers[0].Status, answers[1].Status));
            if (!isLinked) continue;
            Assert.Equal(200, (await _host.PostAsync(Proxy + "/unlockDelete", Unlock("deleteResourceGuardProxyRequests"))).Status);
            Assert.Equal(200, (await _host.DeleteAsync(Proxy)).Status);
        }
    }

    [Fact]
    public async Task A_group_with_a_guard_and_its_empty_vault_is_deleted_whole()
    {
        const string guard = BackupHost.Lab + Guards + "/guard9";
        Assert.Equal(200, (await _host.PutAsync(guard, """{"location":"home"}""")).Status);
        Assert.Equal(200, (await _host.PutAsync(Proxy, $$$"""{"properties":{"resourceGuardResourceId":"{{{guard}}}"}}""")).Status);
        Assert.Equal(202, (await _host.DeleteAsync(BackupHost.Lab)).Status);
        Assert.Equal(404, (await _host.GetAsync(BackupHost.Lab)).Status);
    }

    /// <summary>Refused as it is and with another request, changes nothing; done with the guard's request for it.</summary>
    private async Task GuardedAsync(string method, string path, string body, string request)
    {
        string before = await DumpAsync();
        foreach (string[] requests in new string[][] { [], [$"{Guard}/deleteProtectedItemRequests/default"] })
        {
            Answer refused = await _host.SendAsync(method, path, With(path, body, requests));
            Assert.Equal((request, 400, "BMSUserErrorInvalidInput"), (request, refused.Status, refused.Code));
            Assert.Contains("ResourceGuard Operation requestid is either null or empty", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, await DumpAsync());
        Answer done = await _host.SendAsync(method, path, With(path, body, [$"{Guard.Replace("resourceGroups", "resourcegroups", StringComparison.Ordinal)}/{request}/default"]));
        Assert.True(done.Status is 200 or 202, $"{request}: {done.Status} {done.Body?.ToJsonString()}");
        if (done.Header("Azure-AsyncOperation") is { } url && url.Contains("/operationStatus/", StringComparison.Ordinal)) await _host.SettledAsync(done);
    }

    private static string With(string path, string body, string[] requests)
    {
        var json = (JsonObject)JsonNode.Parse(body)!;
        JsonObject holder = path.EndsWith("backupSecurityPIN", StringComparison.Ordinal) ? json : (JsonObject)json["properties"]!;
        holder["resourceGuardOperationRequests"] = new JsonArray([.. requests.Select(r => (JsonNode)r)]);
        return json.ToJsonString();
    }

    private async Task WaitForJobsAsync()
    {
        foreach (JsonNode? job in (await _host.GetAsync(BackupHost.Vault + "/backupJobs?$filter=status eq 'InProgress'")).Value) await _host.WaitAsync(BackupHost.Vault, (string)job!["name"]!);
    }

    private async Task<string> DumpAsync() => string.Join('\n', await Task.WhenAll(new[] { "", "/backupconfig/vaultconfig", "/backupPolicies", "/backupProtectedItems", "/backupJobs" }
        .Select(async path => (await _host.GetAsync(BackupHost.Vault + path)).Body!.ToJsonString())));

    private async Task<string?> AuthorizationAsync() => (string?)(await _host.GetAsync(BackupHost.Vault)).Body!["properties"]!["securitySettings"]!["multiUserAuthorization"];

    private Task<Answer> LinkAsync(string guard = "guard1") => _host.PutAsync(Proxy, LinkBody(guard));

    private static string LinkBody(string guard) => $$$"""{"properties":{"resourceGuardResourceId":"{{{Safe + Guards}}}/{{{guard}}}"}}""";

    private static string Unlock(string request, string? item = null) =>
        new JsonObject { ["resourceGuardOperationRequests"] = new JsonArray($"{Guard}/{request}/default"), ["resourceToBeDeleted"] = item }.ToJsonString();

    private static (int, string?) Outcome(Answer answer) => (answer.Status, answer.Code);

    private void Check(string name, Answer answer) => Golden.Check(name, answer, _host);
}
