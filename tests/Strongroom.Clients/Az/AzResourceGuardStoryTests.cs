using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Az;

/// <summary>`az backup vault resource-guard-mapping`, and what az does in a vault under a guard whose owner is somebody else.</summary>
public sealed class AzResourceGuardStoryTests
{
    private const string Named = "-g lab -n vault1";

    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task What_could_cost_backups_takes_the_guards_owner(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        await using var lab = await AzLab.StartAsync(edition, token);
        var az = lab.Az;
        await lab.MakeVaultAsync(token);
        await lab.ProtectAsync(token);
        var safe = lab.Lab.GroupPath[..^3] + "safe";
        await lab.Client.ChangeAsync(HttpMethod.Put, $"{safe}?api-version=2021-04-01", new JsonObject { ["location"] = "home" }, token);
        var guard = $"{safe}/providers/Microsoft.DataProtection/resourceGuards/guard1";
        await az.RestAsync("put", $"{guard}?api-version=2024-04-01", new JsonObject { ["location"] = "home" }, token);
        Assert.Equal("Registered", (await az.RunAsync("provider show -n Microsoft.DataProtection", token)).Text("registrationState"));

        // From here on az is somebody who has all rights over the vault's group, and may see the guard.
        var admin = await AddPrincipalAsync(lab, "backup admin", "Owner", lab.Lab.GroupPath);
        await GrantAsync(lab, admin.Text("objectId")!, "acdd72a7-3385-48ef-bd42-f606fba81ae7", guard, token);
        await az.RunAsync(["login", "--service-principal", "-u", admin.Text("appId")!, "--password=" + admin.Text("password"), "--tenant", admin.Text("tenant")!], token);

        Assert.NotEmpty(await az.FailAsync($"backup vault resource-guard-mapping show {Named}", token));
        var made = await az.RunAsync($"backup vault resource-guard-mapping update {Named} --resource-guard-id {guard}", token);
        Assert.Equal(("VaultProxy", guard), (made.Text("name"), made.Text("properties", "resourceGuardResourceId")));
        Assert.Equal(guard, (await az.RunAsync($"backup vault resource-guard-mapping show {Named}", token)).Text("properties", "resourceGuardResourceId"));
        Assert.Equal("Enabled", (await lab.Client.GetAsync($"{lab.Lab.VaultPath}?api-version={Lab.BackupVersion}", token)).Text("properties", "securitySettings", "multiUserAuthorization"));

        var policy = (await az.RunAsync($"backup policy show {lab.Vault} -n DefaultPolicy", token))!;
        policy["properties"]!["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"] = 7;
        string[][] critical =
        [
            Words($"backup vault backup-properties set {Named} --soft-delete-feature-state Disable"),
            [.. Words($"backup policy set {lab.Vault} -n DefaultPolicy --policy"), policy.ToJsonString()],
            Words($"backup protection disable {lab.Item} --delete-backup-data true --yes"),
            Words($"backup vault resource-guard-mapping delete {Named} --yes"),
        ];
        foreach (var command in critical) Assert.Contains("LinkedAuthorizationFailed", await az.FailAsync(command, token), StringComparison.Ordinal);
        var stop = edition is AzEdition.Debian13 ? "LinkedAuthorizationFailed" : "ResourceGuard Operation requestid";
        Assert.Contains(stop, await az.FailAsync($"backup protection disable {lab.Item} --yes", token), StringComparison.Ordinal);
        Assert.Contains("ResourceGuard Operation requestid", await az.FailAsync(["rest", "--method", "delete", "--url", new Uri(lab.Endpoint, lab.Lab.ItemUrl()).AbsoluteUri], token), StringComparison.Ordinal);
        var item = await lab.Client.GetAsync(lab.Lab.ItemUrl(), token);
        Assert.Equal(("IRPending", "DefaultPolicy"), (item.Text("properties", "protectionState"), item.Text("properties", "policyName")));

        await GrantAsync(lab, admin.Text("objectId")!, "f54b6d04-23c6-443e-b462-9c16ab7b4a52", guard, token);
        foreach (var command in critical) await az.RunAsync(command, token);
        Assert.Equal("Disabled", (await lab.Client.GetAsync(lab.Lab.VaultUrl("backupconfig/vaultconfig"), token)).Text("properties", "softDeleteFeatureState"));
        Assert.Equal(7, (int)(await lab.Client.GetAsync(lab.Lab.VaultUrl("backupPolicies/DefaultPolicy"), token))["properties"]!["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"]!);
        Assert.NotEmpty(await az.FailAsync($"backup vault resource-guard-mapping show {Named}", token));
    }

    private static string[] Words(string commandLine) => commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<JsonNode> AddPrincipalAsync(AzLab lab, string name, string role, string scope)
    {
        var result = await CommandResult.RunAsync(
            Repository.ServerExecutable, ["principal", "add", name, "--role", role, "--scope", scope, "--data", lab.DataFolder], null, TestContext.Current.CancellationToken);
        return JsonNode.Parse(result.Succeeded().StandardOutput)!;
    }

    private static Task GrantAsync(AzLab lab, string principal, string role, string scope, CancellationToken token) =>
        lab.Client.ChangeAsync(HttpMethod.Put, $"{scope}/providers/Microsoft.Authorization/roleAssignments/{Guid.NewGuid()}?api-version=2022-04-01", new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["roleDefinitionId"] = $"/subscriptions/{lab.Lab.SubscriptionId}/providers/Microsoft.Authorization/roleDefinitions/{role}",
                ["principalId"] = principal,
                ["principalType"] = "ServicePrincipal",
            },
        }, token);
}
