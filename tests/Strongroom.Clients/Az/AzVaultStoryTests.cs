using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Az;

/// <summary>`az backup vault` in all its commands.</summary>
public sealed class AzVaultStoryTests
{
    private const string Vault = "-g lab -n vault1";

    [Theory(Timeout = 600_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task Vaults_are_made_changed_and_deleted(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        await using var lab = await AzLab.StartAsync(edition, token);
        var az = lab.Az;

        var made = await az.RunAsync($"backup vault create {Vault} -l home --immutability-state Unlocked --classic-alerts Disable --tags owner=az", token);
        Assert.Equal("Unlocked", made.Text("properties", "securitySettings", "immutabilitySettings", "state"));
        Assert.Equal("Disabled", made.Text("properties", "monitoringSettings", "classicAlertSettings", "alertsForCriticalOperations"));
        Assert.Equal("az", made.Text("tags", "owner"));
        // create over a vault that is there is how 2.45 changes one.
        await az.RunAsync($"backup vault create {Vault} -l home --immutability-state Disabled --public-network-access Disable", token);
        if (edition is AzEdition.Debian13)
            await az.RunAsync($"backup vault update {Vault} --tags owner=update --cross-subscription-restore-state Disable", token);

        var shown = await az.RunAsync($"backup vault show {Vault}", token);
        Assert.Equal("Disabled", shown.Text("properties", "securitySettings", "immutabilitySettings", "state"));
        Assert.Equal("Disabled", shown.Text("properties", "publicNetworkAccess"));
        if (edition is AzEdition.Debian13)
            Assert.Equal(("update", "Disabled"), (shown.Text("tags", "owner"), shown.Text("properties", "restoreSettings", "crossSubscriptionRestoreSettings", "crossSubscriptionRestoreState")));
        Assert.Single(await az.ListAsync("backup vault list -g lab", token));

        await PropertiesAsync(az, token);
        await IdentitiesAsync(lab, token);
        if (edition is AzEdition.Debian13)
            Assert.Empty(await az.ListAsync($"backup vault list-soft-deleted-containers {Vault} --backup-management-type AzureIaasVM", token));
        await az.RunAsync($"backup vault delete {Vault} --yes", token);
        Assert.Empty(await az.ListAsync("backup vault list", token));
    }

    private static async Task PropertiesAsync(AzCli az, CancellationToken token)
    {
        const string set = $"backup vault backup-properties set {Vault}";
        var config = await az.RunAsync($"{set} --soft-delete-feature-state Disable --hybrid-backup-security-features Disable", token);
        Assert.Equal(("Disabled", "Disabled"), (config.Text("properties", "softDeleteFeatureState"), config.Text("properties", "enhancedSecurityState")));
        await az.RunAsync($"{set} --backup-storage-redundancy LocallyRedundant", token);
        var alerted = await az.RunAsync($"{set} --classic-alerts Enable", token);
        Assert.Equal("Enabled", alerted.Text("properties", "monitoringSettings", "classicAlertSettings", "alertsForCriticalOperations"));

        var shown = await az.ListAsync($"backup vault backup-properties show {Vault}", token);
        Assert.Contains(shown, one => one.Text("properties", "storageType") == "LocallyRedundant");
        Assert.Contains(shown, one => one.Text("properties", "softDeleteFeatureState") == "Disabled");
    }

    private static async Task IdentitiesAsync(AzLab lab, CancellationToken token)
    {
        var az = lab.Az;
        var user = $"{lab.Lab.GroupPath}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1";
        await az.RunAsync($"backup vault identity assign {Vault} --system-assigned", token);
        await az.RunAsync($"backup vault identity assign {Vault} --user-assigned {user}", token);
        var both = await az.RunAsync($"backup vault identity show {Vault}", token);
        Assert.Equal("SystemAssigned, UserAssigned", both.Text("type"));
        Assert.NotNull(both.Text("principalId"));
        Assert.NotNull(both!["userAssignedIdentities"]![user]);

        // The vault's data is encrypted with keys of the server's own: another key is refused, never pretended.
        var refused = await az.FailAsync($"backup vault encryption update {Vault} --encryption-key-id https://keys.vault.example/keys/k/1 --mi-system-assigned", token);
        Assert.Contains("BMSUserErrorInvalidInput", refused, StringComparison.Ordinal);
        Assert.Equal("MicrosoftManaged", (await az.RunAsync($"backup vault encryption show {Vault}", token)).Text("properties", "encryptionAtRestType"));

        await az.RunAsync($"backup vault identity remove {Vault} --user-assigned {user}", token);
        await az.RunAsync($"backup vault identity remove {Vault} --system-assigned", token);
        Assert.Equal("None", (await az.RunAsync($"backup vault identity show {Vault}", token)).Text("type"));
    }
}
