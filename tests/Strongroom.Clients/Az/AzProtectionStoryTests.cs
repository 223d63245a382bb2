using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Az;

/// <summary>`az backup protection`, `item` and `container`: a machine's way through every state of protection.</summary>
public sealed class AzProtectionStoryTests
{
    private const string NoOperationGroup = "does not have operation group 'virtual_machines'";

    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task Protection_is_changed_stopped_resumed_deleted_and_undeleted(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        await using var lab = await AzLab.StartAsync(edition, token);
        await lab.MakeVaultAsync(token);
        var (az, vault, item) = (lab.Az, lab.Vault, lab.Item);

        await AssertProtectedInAsync(lab, null, token);
        await lab.ProtectAsync(token);
        await AssertProtectedInAsync(lab, lab.Lab.VaultPath, token);

        await AssertListedAsync(lab, token);
        await ChangeDisksAsync(lab, token);
        await az.RunAsync($"backup item set-policy {vault} -c web1 -n web1 -p EnhancedPolicy --backup-management-type AzureIaasVM{(edition is AzEdition.Debian13 ? " --yes" : "")}", token);
        Assert.Equal("EnhancedPolicy", (await ShowAsync(lab, token)).Text("properties", "policyName"));
        await lab.EndedAsync(await az.RunAsync($"backup protection backup-now {item}", token), token);

        await az.RunAsync($"backup protection disable {item} --yes", token);
        Assert.Equal("ProtectionStopped", await StateAsync(lab, token));
        await az.RunAsync($"backup protection resume {item} -p EnhancedPolicy", token);
        Assert.Equal("Protected", await StateAsync(lab, token));
        // The library of 2.45 on Debian does not know the state that 2.45 wants to send.
        var retain = $"backup protection disable {item} --retain-recovery-points-as-per-policy --yes";
        if (edition is AzEdition.Debian12)
            Assert.Contains("backups_suspended", await az.FailAsync(retain, token), StringComparison.Ordinal);
        else
        {
            await az.RunAsync(retain, token);
            Assert.Equal("BackupsSuspended", await StateAsync(lab, token));
        }

        await lab.EndedAsync(await az.RunAsync($"backup protection disable {item} --delete-backup-data true --yes", token), token);
        Assert.True((bool)(await ShowAsync(lab, token))["properties"]!["isScheduledForDeferredDelete"]!);
        await az.RunAsync($"backup protection undelete {item}", token);
        Assert.Equal("ProtectionStopped", await StateAsync(lab, token));
        await az.RunAsync($"backup protection resume {item} -p DefaultPolicy", token);
        Assert.Equal("Protected", await StateAsync(lab, token));

        // With force the vault's items are deleted first, and then the vault.
        await az.RunAsync("backup vault backup-properties set -g lab -n vault1 --soft-delete-feature-state Disable", token);
        await az.RunAsync("backup vault delete -g lab -n vault1 --force --yes", token);
        Assert.Empty(await az.ListAsync("backup vault list", token));
    }

    private static async Task AssertProtectedInAsync(AzLab lab, string? vault, CancellationToken token)
    {
        var (byName, byId) = ("backup protection check-vm --vm web1 -g lab", $"backup protection check-vm --vm-id {lab.Lab.MachineId}");
        foreach (var command in (string[])[byName, byId])
            if (lab.Edition is AzEdition.Debian12)
                Assert.Contains(NoOperationGroup, await lab.Az.FailAsync(command, token), StringComparison.Ordinal);
            else
                Assert.Equal(vault, (string?)await lab.Az.RunAsync(command, token));
    }

    private static async Task AssertListedAsync(AzLab lab, CancellationToken token)
    {
        var (az, vault) = (lab.Az, lab.Vault);
        Assert.Single(await az.ListAsync($"backup item list {vault} -c web1 --backup-management-type AzureIaasVM --workload-type VM", token));
        var container = Assert.Single(await az.ListAsync($"backup container list {vault} --backup-management-type AzureIaasVM", token));
        Assert.Equal(container.Text("id"), (await az.RunAsync($"backup container show {vault} -n web1 --backup-management-type AzureIaasVM", token)).Text("id"));
        // Machines have no containers of their own to unregister: az asks for the container, sends no more and is content.
        await az.RunAsync($"backup container unregister {vault} -c web1 --backup-management-type AzureIaasVM --yes", token);
        Assert.Single(await az.ListAsync($"backup container list {vault} --backup-management-type AzureIaasVM", token));
        Assert.Empty(await az.ListAsync($"backup protectable-item list {vault} --workload-type MSSQL", token));
    }

    private static async Task ChangeDisksAsync(AzLab lab, CancellationToken token)
    {
        var update = $"backup protection update-for-vm {lab.Vault} -c web1 -i web1";
        await lab.Az.RunAsync($"{update} --disk-list-setting exclude --diskslist 0", token);
        var excluded = (await ShowAsync(lab, token))["properties"]!["extendedProperties"]!["diskExclusionProperties"]!;
        Assert.Equal((false, 0), ((bool)excluded["isInclusionList"]!, (int)Assert.Single(Assert.IsType<JsonArray>(excluded["diskLunList"]))!));
        await lab.Az.RunAsync($"{update} --exclude-all-data-disks", token);
        var included = (await ShowAsync(lab, token))["properties"]!["extendedProperties"]!["diskExclusionProperties"]!;
        Assert.True((bool)included["isInclusionList"]!);
        Assert.Empty(Assert.IsType<JsonArray>(included["diskLunList"]));
        await lab.Az.RunAsync($"{update} --disk-list-setting resetexclusionsettings", token);
        Assert.Null((await ShowAsync(lab, token))["properties"]!["extendedProperties"]?["diskExclusionProperties"]);
    }

    private static async Task<JsonNode> ShowAsync(AzLab lab, CancellationToken token) =>
        (await lab.Az.RunAsync($"backup item show {lab.Vault} -c web1 -n web1 --backup-management-type AzureIaasVM --workload-type VM", token))!;

    private static async Task<string?> StateAsync(AzLab lab, CancellationToken token) => (await ShowAsync(lab, token)).Text("properties", "protectionState");
}
