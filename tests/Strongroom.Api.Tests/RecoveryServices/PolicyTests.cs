using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Policies over HTTP: put, read back, changed, refused, deleted.</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    private const string Policies = BackupHost.Vault + "/backupPolicies";
    private const string Gold = Policies + "/Gold";

    private BackupHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        await _host.MakeVaultAsync();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData(PolicyBodies.Weekly)]
    [InlineData(PolicyBodies.Daily)]
    [InlineData(PolicyBodies.Hourly)]
    [InlineData(PolicyBodies.EnhancedWeekly)]
    [InlineData(PolicyBodies.FileShare)]
    [InlineData(PolicyBodies.Database)]
    public async Task What_was_put_reads_back_and_may_be_put_again(string body)
    {
        Answer put = await _host.PutAsync(Gold, body, "2024-10-01");
        Assert.Equal((200, Gold, "Gold"), (put.Status, (string?)put.Body!["id"], (string?)put.Body["name"]));
        Answer read = await _host.GetAsync(Gold, "2024-10-01");
        Assert.Equal(put.Body.ToJsonString(), read.Body!.ToJsonString());
        AssertHolds(JsonNode.Parse(body)!["properties"]!, read.Body["properties"]!, "properties");
        Assert.Equal(0, (int)read.Body["properties"]!["protectedItemsCount"]!);

        // As az does it: what was shown, with milliseconds, is put again.
        string shown = read.Body.ToJsonString().Replace(":00Z\"", ":00.000Z\"", StringComparison.Ordinal).Replace("\"protectedItemsCount\":0", "\"protectedItemsCount\":7", StringComparison.Ordinal);
        Answer again = await _host.PutAsync(Gold, shown);
        Assert.Equal(200, again.Status);
        Assert.True(JsonNode.DeepEquals(read.Body, again.Body), again.Body!.ToJsonString());
    }

    [Fact]
    public async Task The_service_adds_what_a_request_leaves_to_it()
    {
        Answer put = await _host.PutAsync(Gold, """
            {"properties":{"BackupManagementType":"azureiaasvm","schedulePolicy":{"schedulePolicyType":"simpleschedulepolicy","scheduleRunFrequency":"daily","scheduleRunTimes":["2026-01-01T03:10:00Z"],"nonsense":1},
            "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T04:00:00+01:00"],"retentionDuration":{"count":7,"durationType":"days"}},"weeklySchedule":null}}}
            """);
        Assert.Equal(400, put.Status);

        put = await _host.PutAsync(Gold, """
            {"properties":{"BackupManagementType":"azureiaasvm","schedulePolicy":{"schedulePolicyType":"simpleschedulepolicy","scheduleRunFrequency":"daily","scheduleRunTimes":["2026-01-01T03:00:00.000Z"],"nonsense":1},
            "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T04:00:00+01:00"],"retentionDuration":{"count":7,"durationType":"days"}},"weeklySchedule":null}}}
            """);
        Assert.Equal(200, put.Status);
        Assert.True(
            JsonNode.DeepEquals(JsonNode.Parse("""
            {"backupManagementType":"AzureIaasVM","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T03:00:00Z"],"scheduleWeeklyFrequency":0},
            "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T03:00:00Z"],"retentionDuration":{"count":7,"durationType":"Days"}}},
            "instantRPDetails":{},"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":0}
            """), put.Body!["properties"]),
            put.Body["properties"]!.ToJsonString());
    }

    [Theory]
    [InlineData("\"count\":10", "\"count\":6", "BMSUserErrorPolicyRetentionInvalid")]
    [InlineData("\"count\":10", "\"count\":5", "BMSUserErrorPolicyRetentionInvalid")]
    [InlineData("\"instantRpRetentionRangeInDays\":5", "\"instantRpRetentionRangeInDays\":6", "UserErrorInvalidRequestParameter")]
    [InlineData("\"timeZone\":\"UTC\"", "\"timeZone\":\"Nowhere\"", "UserErrorInvalidRequestParameter")]
    [InlineData("\"scheduleRunTimes\":[\"2018-07-30T23:00:00Z\"]", "\"scheduleRunTimes\":[\"2018-07-30T22:00:00Z\"]", "BMSUserErrorInvalidPolicyInput")]
    [InlineData("AzureIaasVM", "MAB", "BMSUserErrorInvalidPolicyInput")]
    [InlineData("\"AzureIaasVM\"", "null", "BMSUserErrorInvalidPolicyInput")]
    [InlineData("\"Daily\",\"scheduleRunTimes\"", "\"Weekly\",\"scheduleRunTimes\"", "BMSUserErrorInvalidPolicyInput")]
    [InlineData("\"count\":10", "\"count\":\"ten\"", "InvalidRequestContent")]
    public async Task A_policy_that_is_wrong_is_refused_and_nothing_is_kept(string good, string bad, string code)
    {
        Assert.Contains(good, PolicyBodies.Daily, StringComparison.Ordinal);
        Answer put = await _host.PutAsync(Gold, PolicyBodies.Daily.Replace(good, bad, StringComparison.Ordinal));
        Assert.Equal((400, code), (put.Status, put.Code));
        Answer absent = await _host.GetAsync(Gold);
        Assert.Equal((404, "BMSUserErrorPolicyNotFound"), (absent.Status, absent.Code));
    }

    [Fact]
    public async Task Snapshots_are_not_kept_for_as_long_as_the_vault_keeps_points()
    {
        Answer put = await _host.PutAsync(Gold, PolicyBodies.Hourly.Replace("\"count\":31", "\"count\":7", StringComparison.Ordinal));
        Assert.Equal((400, "BMSUserErrorInstantRPRetentionExceedsVaultedRetention"), (put.Status, put.Code));
    }

    [Theory]
    [InlineData("ab", 400)]
    [InlineData("1abc", 400)]
    [InlineData("with.dot", 400)]
    [InlineData("abc-_!9", 200)]
    public async Task A_name_has_its_rules(string name, int status) => Assert.Equal(status, (await _host.PutAsync($"{Policies}/{name}", PolicyBodies.Daily)).Status);

    [Fact]
    public async Task A_name_is_the_same_in_any_case_and_keeps_its_first_spelling()
    {
        await _host.PutAsync(Gold, PolicyBodies.Daily);
        Answer put = await _host.PutAsync(Policies + "/GOLD", PolicyBodies.Weekly);
        Assert.Equal((200, "Gold"), (put.Status, (string?)put.Body!["name"]));
        Assert.Equal(4, (await _host.GetAsync(Policies)).Value.Count);
    }

    [Fact]
    public async Task A_policy_is_deleted_once_no_item_has_it()
    {
        var web1 = new ProtectedMachine(_host, _host.Fabric.Add("web1"));
        await _host.PutAsync(Gold, PolicyBodies.Daily);
        Assert.Equal(202, (await _host.PutAsync(web1.Item, web1.EnableBody("Gold"))).Status);
        Assert.Equal(1, (int)(await _host.GetAsync(Gold)).Body!["properties"]!["protectedItemsCount"]!);

        Answer refused = await _host.DeleteAsync(Policies + "/gold");
        Assert.Equal((400, "BMSUserErrorPolicyObjectInUse"), (refused.Status, refused.Code));
        Assert.Equal(200, (await _host.GetAsync(Gold)).Status);

        Assert.Equal(202, (await _host.PutAsync(web1.Item, web1.EnableBody())).Status);
        Answer deleted = await _host.DeleteAsync(Gold);
        Assert.Equal((200, null), (deleted.Status, deleted.Body));
        Assert.Equal(204, (await _host.DeleteAsync(Gold)).Status);
    }

    [Fact]
    public async Task A_policy_in_use_may_change_but_not_become_another_kind()
    {
        var web1 = new ProtectedMachine(_host, _host.Fabric.Add("web1"));
        await _host.PutAsync(Gold, PolicyBodies.Daily);
        await _host.PutAsync(web1.Item, web1.EnableBody("Gold"));

        foreach (string other in new[] { PolicyBodies.Hourly, PolicyBodies.FileShare, PolicyBodies.Database })
        {
            Answer refused = await _host.PutAsync(Gold, other);
            Assert.Equal((400, "BMSUserErrorPolicyObjectInUse"), (refused.Status, refused.Code));
        }

        Answer changed = await _host.PutAsync(Gold, PolicyBodies.Weekly);
        Assert.Equal((200, 1), (changed.Status, (int)changed.Body!["properties"]!["protectedItemsCount"]!));
        Assert.Equal("Weekly", (string?)(await _host.GetAsync(Gold)).Body!["properties"]!["schedulePolicy"]!["scheduleRunFrequency"]);
    }

    [Fact]
    public async Task Policies_of_other_workloads_are_listed_by_theirs_and_protect_no_machine()
    {
        var web1 = new ProtectedMachine(_host, _host.Fabric.Add("web1"));
        await _host.PutAsync(Gold, PolicyBodies.FileShare);
        foreach (string filter in new[] { "backupManagementType eq 'AzureStorage'", "workloadType eq 'AzureFileShare'", "backupManagementType eq 'azurestorage' and fabricName eq 'Azure'" })
        {
            JsonNode only = Assert.Single((await _host.GetAsync($"{Policies}?$filter={filter}")).Value)!;
            Assert.Equal("Gold", (string?)only["name"]);
            Assert.Null(only["properties"]!["workLoadType"]);
        }

        Answer refused = await _host.PutAsync(web1.Item, web1.EnableBody("Gold"));
        Assert.Equal((400, "BMSUserErrorInvalidPolicyInput"), (refused.Status, refused.Code));
    }

    /// <summary>All that was sent is answered; more may be.</summary>
    private static void AssertHolds(JsonNode sent, JsonNode? answered, string path)
    {
        if (sent is JsonObject members)
        {
            foreach ((string name, JsonNode? member) in members) AssertHolds(member!, answered?[name], $"{path}.{name}");
        }
        else if (sent is JsonArray elements)
        {
            Assert.Equal((path, elements.Count), (path, (answered as JsonArray)?.Count));
            for (int i = 0; i < elements.Count; i++) AssertHolds(elements[i]!, answered![i], $"{path}[{i}]");
        }
        else
        {
            Assert.True(JsonNode.DeepEquals(sent, answered), $"{path} is {answered?.ToJsonString()}, and {sent.ToJsonString()} was sent.");
        }
    }
}
