using System.Net;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Terraform;

/// <summary>
/// The requests of Terraform's azurerm, resource by resource, with its api-versions, spellings and pollers: create, read
/// back without a difference, change, destroy. The program itself does not run here.
/// </summary>
public sealed class TerraformStoryTests : IDisposable
{
    private const string VaultVersion = "2025-08-01";
    private const string VaultListVersion = "2024-01-01";
    private const string PolicyVersion = "2024-10-01";
    private const string BackupVersion = "2023-02-01";
    private readonly TempFolder _folder = new();
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 1_800_000)]
    public async Task Group_vault_policy_and_protected_machine_are_created_read_back_changed_and_destroyed()
    {
        var hostFolder = _folder.Combine("machines");
        SampleMachine.Create(hostFolder, "Web1", seed: 41, 4);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, _token);
        using var http = await ArmClient.SignInAsync(server, _token);
        var lab = Lab.Of(server) with { Group = "Lab", Machine = "Web1" };
        var terraform = new TerraformClient(http);
        await ConfigureProviderAsync(terraform, server);

        await CreateGroupAsync(terraform, lab);
        await http.ChangeAsync(HttpMethod.Put, lab.HostUrl, lab.HostBody(hostFolder), _token);
        await CreateVaultAsync(terraform, lab);
        var policy = await CreatePolicyAsync(terraform, lab);
        await ProtectAsync(terraform, lab, policy);
        await LabSetUp.BackUpAsync(http, lab, _token);

        await ChangeVaultAsync(terraform, lab);
        await DeleteAndCreateAgainAsync(terraform, lab, policy);
        await SwitchSoftDeleteOffAsync(terraform, lab);
        await ChangePolicyAsync(terraform, policy);
        await StopAndProtectAgainAsync(terraform, lab, policy);
        await DestroyAsync(terraform, lab, policy);
    }

    /// <summary>What the provider asks before any resource.</summary>
    private async Task ConfigureProviderAsync(TerraformClient terraform, ServerProcess server)
    {
        var metadata = (await terraform.ReadAsync("/metadata/endpoints?api-version=2022-09-01", _token))!;
        Assert.NotNull(metadata.Text("microsoftGraphResourceId"));
        Assert.NotEqual("ADFS", metadata.Text("authentication", "identityProvider"));
        var older = await terraform.ReadAsync("/metadata/endpoints?api-version=2018-01-01", _token);
        Assert.NotNull(older);
        var providers = (await terraform.ReadAsync($"/subscriptions/{server.Admin.SubscriptionId}/providers?api-version=2022-09-01", _token))!["value"]!.AsArray();
        Assert.Contains(providers, one => one.Text("namespace") == "Microsoft.RecoveryServices" && one.Text("registrationState") == "Registered");
    }

    private async Task CreateGroupAsync(TerraformClient terraform, Lab lab)
    {
        var url = GroupUrl(lab);
        Assert.Null(await terraform.ReadAsync(url, _token));
        await terraform.SendAsync(HttpMethod.Put, url, new JsonObject { ["location"] = lab.Location, ["tags"] = new JsonObject() }, [HttpStatusCode.OK, HttpStatusCode.Created], _token);
        for (var look = 0; look < 5; look++)
            Assert.Equal((lab.Group, lab.Location), ((await terraform.ReadAsync(url, _token)).Text("name"), (await terraform.ReadAsync(url, _token)).Text("location")));
    }

    private async Task CreateVaultAsync(TerraformClient terraform, Lab lab)
    {
        var url = VaultUrl(lab);
        Assert.Null(await terraform.ReadAsync(url, _token));
        await terraform.BaseLayerAsync(HttpMethod.Put, url, TerraformBodies.VaultBody(lab, "Unlocked", "terraform"), _token);
        var listed = await terraform.ReadAsync($"{lab.GroupPath}/providers/Microsoft.RecoveryServices/vaults?api-version={VaultListVersion}", _token);
        Assert.Contains(listed!["value"]!.AsArray(), one => one.Text("name") == lab.Vault);

        var vault = (await terraform.ReadAsync(url, _token))!;
        TerraformBodies.AssertHolds(TerraformBodies.VaultBody(lab, "Unlocked", "terraform"), vault);
        Assert.NotNull(await terraform.ReadAsync($"{lab.VaultPath}/replicationVaultSettings/default?api-version=2024-04-01", _token));
        Assert.Equal("Enabled", (await terraform.ReadAsync($"{lab.VaultPath}/backupconfig/vaultconfig?api-version={BackupVersion}", _token)).Text("properties", "softDeleteFeatureState"));
        Assert.Equal("LocallyRedundant", (await terraform.ReadAsync($"{lab.VaultPath}/backupstorageconfig/vaultstorageconfig?api-version={BackupVersion}", _token)).Text("properties", "storageType"));
    }

    private async Task<string> CreatePolicyAsync(TerraformClient terraform, Lab lab)
    {
        var path = $"{lab.VaultPath}/backupPolicies/nightly";
        Assert.Null(await terraform.ReadAsync($"{path}?api-version={PolicyVersion}", _token));
        await terraform.AutorestAsync(HttpMethod.Put, $"{path}?api-version={PolicyVersion}", TerraformBodies.PolicyBody(days: 10), _token);
        TerraformBodies.AssertHolds(TerraformBodies.PolicyBody(days: 10), (await terraform.ReadAsync($"{path}?api-version={PolicyVersion}", _token))!);
        return path;
    }

    private async Task ProtectAsync(TerraformClient terraform, Lab lab, string policy)
    {
        var url = ItemUrl(lab);
        Assert.Null(await terraform.ReadAsync(url, _token));
        await terraform.AutorestAsync(HttpMethod.Put, url, TerraformBodies.ItemBody(lab, policy), _token);
        var item = (await terraform.ReadAsync(url, _token))!;
        Assert.Equal(policy, item.Text("properties", "policyId"), ignoreCase: true);
        Assert.Equal(lab.MachineId, item.Text("properties", "sourceResourceId"), ignoreCase: true);
        Assert.Equal("VM", item.Text("properties", "workloadType"));
        Assert.Equal("IRPending", item.Text("properties", "protectionState"));
    }

    private async Task ChangeVaultAsync(TerraformClient terraform, Lab lab)
    {
        var url = VaultUrl(lab);
        await terraform.BaseLayerAsync(HttpMethod.Patch, url, new JsonObject
        {
            ["tags"] = new JsonObject { ["owner"] = "changed" },
            ["properties"] = new JsonObject { ["securitySettings"] = new JsonObject { ["immutabilitySettings"] = new JsonObject { ["state"] = "Disabled" } } },
        }, _token);
        TerraformBodies.AssertHolds(TerraformBodies.VaultBody(lab, "Disabled", "changed"), (await terraform.ReadAsync(url, _token))!);
    }

    /// <summary>Destroyed with soft delete on, and created again: what is found deleted is taken back first.</summary>
    private async Task DeleteAndCreateAgainAsync(TerraformClient terraform, Lab lab, string policy)
    {
        var url = ItemUrl(lab);
        await terraform.AutorestAsync(HttpMethod.Delete, url, null, _token);
        Assert.True((bool?)(await terraform.ReadAsync(url, _token))!["properties"]!["isScheduledForDeferredDelete"]);
        await terraform.AutorestAsync(HttpMethod.Put, url, new JsonObject
        {
            ["properties"] = new JsonObject { ["protectedItemType"] = "Microsoft.Compute/virtualMachines", ["isRehydrate"] = true },
        }, _token);
        var back = (await terraform.ReadAsync(url, _token))!;
        Assert.Null(back["properties"]!["isScheduledForDeferredDelete"]);
        await terraform.AutorestAsync(HttpMethod.Put, url, TerraformBodies.ItemBody(lab, policy), _token);
        Assert.Equal("Protected", (await terraform.ReadAsync(url, _token)).Text("properties", "protectionState"));
    }

    private async Task SwitchSoftDeleteOffAsync(TerraformClient terraform, Lab lab)
    {
        await terraform.SendAsync(HttpMethod.Put, $"{lab.VaultPath}/backupconfig/vaultconfig?api-version={BackupVersion}",
            new JsonObject { ["properties"] = new JsonObject { ["softDeleteFeatureState"] = "Disabled", ["enhancedSecurityState"] = "Disabled" } }, [HttpStatusCode.OK], _token);
        Assert.Equal("Disabled", (await terraform.ReadAsync($"{lab.VaultPath}/backupconfig/vaultconfig?api-version={BackupVersion}", _token)).Text("properties", "softDeleteFeatureState"));
    }

    private async Task ChangePolicyAsync(TerraformClient terraform, string policy)
    {
        var url = $"{policy}?api-version={PolicyVersion}";
        await terraform.AutorestAsync(HttpMethod.Put, url, TerraformBodies.PolicyBody(days: 20), _token);
        TerraformBodies.AssertHolds(TerraformBodies.PolicyBody(days: 20), (await terraform.ReadAsync(url, _token))!);
    }

    private async Task StopAndProtectAgainAsync(TerraformClient terraform, Lab lab, string policy)
    {
        var url = ItemUrl(lab);
        await terraform.AutorestAsync(HttpMethod.Put, url, new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["protectedItemType"] = "Microsoft.Compute/virtualMachines",
                ["protectionState"] = "ProtectionStopped",
                ["sourceResourceId"] = lab.MachineId,
            },
        }, _token);
        Assert.Equal("ProtectionStopped", (await terraform.ReadAsync(url, _token)).Text("properties", "protectionState"));
        await terraform.AutorestAsync(HttpMethod.Put, url, TerraformBodies.ItemBody(lab, policy), _token);
        Assert.Equal(policy, (await terraform.ReadAsync(url, _token)).Text("properties", "policyId"), ignoreCase: true);
    }

    private async Task DestroyAsync(TerraformClient terraform, Lab lab, string policy)
    {
        await terraform.AutorestAsync(HttpMethod.Delete, ItemUrl(lab), null, _token);
        Assert.Null(await terraform.ReadAsync(ItemUrl(lab), _token));
        await terraform.AutorestAsync(HttpMethod.Delete, $"{policy}?api-version={PolicyVersion}", null, _token);
        Assert.Null(await terraform.ReadAsync($"{policy}?api-version={PolicyVersion}", _token));
        await terraform.BaseLayerDeleteAsync(VaultUrl(lab), _token);
        await terraform.AutorestAsync(HttpMethod.Delete, GroupUrl(lab), null, _token);
        Assert.Null(await terraform.ReadAsync(GroupUrl(lab), _token));
    }

    private static string GroupUrl(Lab lab) => $"/subscriptions/{lab.SubscriptionId}/resourcegroups/{lab.Group}?api-version=2020-06-01";

    private static string VaultUrl(Lab lab) => $"{lab.VaultPath}?api-version={VaultVersion}";

    private static string ItemUrl(Lab lab) =>
        $"{lab.VaultPath}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;{lab.Group};{lab.Machine}/protectedItems/VM;iaasvmcontainerv2;{lab.Group};{lab.Machine}?api-version={BackupVersion}";
}
