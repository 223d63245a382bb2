using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Az;

/// <summary>`az backup policy` in all its commands.</summary>
public sealed class AzPolicyStoryTests
{
    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task Policies_are_made_from_others_changed_used_and_deleted(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        await using var lab = await AzLab.StartAsync(edition, token);
        await lab.MakeVaultAsync(token);
        var (az, vault) = (lab.Az, lab.Vault);

        // What az prints goes back to it, edited: the way its documentation tells people.
        var policy = (await az.RunAsync($"backup policy get-default-for-vm {vault}", token))!;
        await az.RunAsync([.. Words($"backup policy create {vault} -n nightly --backup-management-type AzureIaasVM --policy"), policy.ToJsonString()], token);
        var nightly = (await az.RunAsync($"backup policy show {vault} -n nightly", token))!;
        Assert.Equal(30, DailyDays(nightly));
        nightly["properties"]!["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"] = 45;
        await az.RunAsync([.. Words($"backup policy set {vault} -n nightly --policy"), nightly.ToJsonString()], token);
        Assert.Equal(45, DailyDays(await az.RunAsync($"backup policy show {vault} -n nightly", token)));
        nightly["properties"]!["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"] = 6;
        var refused = await az.FailAsync([.. Words($"backup policy set {vault} -n nightly --policy"), nightly.ToJsonString()], token);
        Assert.Contains("BMSUserErrorPolicyRetentionInvalid", refused, StringComparison.Ordinal);

        var hourly = (await az.RunAsync($"backup policy show {vault} -n EnhancedPolicy", token))!;
        Assert.Equal("Hourly", hourly.Text("properties", "schedulePolicy", "scheduleRunFrequency"));
        await az.RunAsync([.. Words($"backup policy create {vault} -n hourly --backup-management-type AzureIaasVM --policy"), hourly.ToJsonString()], token);
        Assert.Equal(
            ["EnhancedPolicy", "hourly"],
            (await az.ListAsync($"backup policy list {vault} --backup-management-type AzureIaasVM --policy-sub-type Enhanced", token)).Select(one => one.Text("name")).Order());

        await lab.ProtectAsync(token);
        await az.RunAsync($"backup item set-policy {vault} -c web1 -n web1 -p nightly --backup-management-type AzureIaasVM", token);
        var item = Assert.Single(await az.ListAsync($"backup policy list-associated-items {vault} -n nightly", token));
        Assert.Equal(("web1", "nightly"), (item.Text("properties", "friendlyName"), item.Text("properties", "policyName")));
        Assert.Contains("BMSUserErrorPolicyObjectInUse", await az.FailAsync($"backup policy delete {vault} -n nightly", token), StringComparison.Ordinal);
        await az.RunAsync($"backup policy delete {vault} -n hourly", token);
        Assert.DoesNotContain(await az.ListAsync($"backup policy list {vault}", token), one => one.Text("name") == "hourly");
    }

    private static string[] Words(string commandLine) => commandLine.Split(' ');

    private static int DailyDays(JsonNode? policy) => (int)policy!["properties"]!["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"]!;
}
