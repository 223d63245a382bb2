using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Every key that a list can be filtered by, with a value that lets through and one that does not.</summary>
public sealed class FilterTests(FilterTests.Scene scene) : IClassFixture<FilterTests.Scene>
{
    [Theory]
    [InlineData("backupProtectableItems", "backupManagementType eq 'AzureIaasVM'", 1)]
    [InlineData("backupProtectableItems", "backupManagementType eq 'AzureStorage'", 0)]
    [InlineData("backupProtectableItems", "backupManagementType eq 'AzureIaasVM' and workloadType eq 'VM'", 1)]
    [InlineData("backupProtectableItems", "workloadType eq 'SQLDataBase'", 0)]
    [InlineData("backupProtectableItems", "status eq 'NotProtected'", 1)]
    [InlineData("backupProtectableItems", "status eq 'Protected'", 0)]
    [InlineData("backupProtectableItems", "friendlyName eq 'FREE1'", 1)]
    [InlineData("backupProtectableItems", "friendlyName eq 'other'", 0)]
    [InlineData("backupProtectableItems", "containerName eq 'iaasvmcontainerv2;lab;free1'", 1)]
    [InlineData("backupProtectableItems", "containerName eq 'IaasVMContainer;iaasvmcontainerv2;lab;free1'", 1)]
    [InlineData("backupProtectableItems", "containerName eq 'other'", 0)]
    [InlineData("backupProtectedItems", "backupManagementType eq 'azureiaasvm' and itemType eq 'VM'", 1)]
    [InlineData("backupProtectedItems", "backupManagementType eq 'AzureWorkload'", 0)]
    [InlineData("backupProtectedItems", "itemType eq 'AzureFileShare'", 0)]
    [InlineData("backupProtectedItems", "healthState eq 'Passed'", 1)]
    [InlineData("backupProtectedItems", "healthState eq 'ActionRequired'", 0)]
    [InlineData("backupProtectedItems", "policyName eq 'DefaultPolicy'", 1)]
    [InlineData("backupProtectedItems", "policyName eq 'EnhancedPolicy'", 0)]
    [InlineData("backupProtectedItems", "containerName eq 'iaasvmcontainerv2;lab;web1'", 1)]
    [InlineData("backupProtectedItems", "containerName eq 'iaasvmcontainer;iaasvmcontainerv2;lab;web1'", 1)]
    [InlineData("backupProtectedItems", "containerName eq 'iaasvmcontainerv2;lab;web2'", 0)]
    [InlineData("backupProtectedItems", "friendlyName eq 'web1'", 1)]
    [InlineData("backupProtectedItems", "friendlyName eq 'web2'", 0)]
    [InlineData("backupProtectedItems", "fabricName eq 'Azure'", 1)]
    [InlineData("backupProtectedItems", "fabricName eq 'Other'", 0)]
    [InlineData("backupProtectedItems", "backupEngineName eq 'dpm'", 0)]
    [InlineData("backupProtectedItems", "backupSetName eq 'set'", 0)]
    [InlineData("backupProtectionContainers", "backupManagementType eq 'AzureIaasVM' and status eq 'Registered'", 1)]
    [InlineData("backupProtectionContainers", "backupManagementType eq 'AzureIaasVM' and friendlyName eq 'web1' and status eq 'registered'", 1)]
    [InlineData("backupProtectionContainers", "status eq 'SoftDeleted'", 0)]
    [InlineData("backupProtectionContainers", "friendlyName eq 'web2'", 0)]
    [InlineData("backupProtectionContainers", "containerType eq 'IaasVMContainer'", 1)]
    [InlineData("backupProtectionContainers", "containerType eq 'Microsoft.Compute/virtualMachines'", 1)]
    [InlineData("backupProtectionContainers", "containerType eq 'StorageContainer'", 0)]
    [InlineData("backupProtectionContainers", "fabricName eq 'Azure'", 1)]
    [InlineData("backupProtectionContainers", "backupEngineName eq 'dpm'", 0)]
    [InlineData("backupPolicies", "backupManagementType eq 'AzureIaasVM'", 2)]
    [InlineData("backupPolicies", "backupManagementType eq 'AzureWorkLoad'", 1)]
    [InlineData("backupPolicies", "workloadType eq 'VM'", 2)]
    [InlineData("backupPolicies", "workloadType eq 'SQLDataBase'", 1)]
    [InlineData("backupPolicies", "fabricName eq 'Azure'", 3)]
    [InlineData("backupPolicies", "fabricName eq 'Other'", 0)]
    [InlineData("backupJobs", "status eq 'Completed'", 2)]
    [InlineData("backupJobs", "status eq 'InProgress'", 0)]
    [InlineData("backupJobs", "operation eq 'Backup' and status eq 'Completed'", 1)]
    [InlineData("backupJobs", "operation eq 'Restore'", 0)]
    [InlineData("backupJobs", "backupManagementType eq 'AzureIaasVM'", 2)]
    [InlineData("backupJobs", "backupManagementType eq 'MAB'", 0)]
    [InlineData("backupJobs", "jobId eq '00000000-0000-0000-0000-000000000000'", 0)]
    [InlineData("backupJobs", "startTime eq '2026-11-01 11:59:59 AM' and endTime eq '2026-11-01 12:30:00 PM'", 2)]
    [InlineData("backupJobs", "startTime eq '2026-11-01 12:00:30 PM'", 1)]
    [InlineData("backupJobs", "endTime eq '2026-11-01 12:00:30 PM'", 1)]
    [InlineData("backupJobs", "endTime eq '2026-10-31 05:00:00 PM'", 0)]
    [InlineData("{item}/recoveryPoints", "startDate eq '2026-11-01 12:00:00 PM' and endDate eq '2026-11-01 01:00:00 PM'", 1)]
    [InlineData("{item}/recoveryPoints", "startDate eq '2026-11-02 12:00:00 AM'", 0)]
    [InlineData("{item}/recoveryPoints", "endDate eq '2026-10-31 12:00:00 AM'", 0)]
    [InlineData("{item}/recoveryPoints", "restorePointQueryType eq 'All'", 1)]
    [InlineData("{item}/recoveryPoints", "restorePointQueryType eq 'Log'", 0)]
    [InlineData("{item}/recoveryPoints", "extendedInfo eq 'True'", 1)]
    [InlineData("{item}/recoveryPoints", "moveReadyRPOnly eq 'True'", 0)]
    [InlineData("{item}/recoveryPoints", "includeSoftDeletedRP eq 'True'", 1)]
    public async Task A_key_filters(string list, string filter, int count)
    {
        Assert.Equal(count, (await scene.ListAsync(list, "$filter=" + filter)).Value.Count);
        // Blanks come as '+', and the name of the key escaped.
        Assert.Equal(count, (await scene.ListAsync(list, "%24filter=" + filter.Replace(' ', '+'))).Value.Count);
    }

    [Fact]
    public async Task A_job_is_found_by_its_id()
    {
        string id = (string)(await scene.ListAsync("backupJobs", "$filter=operation eq 'Backup'")).Value[0]!["name"]!;
        JsonNode job = Assert.Single((await scene.ListAsync("backupJobs", $"$filter=jobId eq '{id}'")).Value)!;
        Assert.Equal(id, (string?)job["name"]);
        Assert.Null(job["properties"]!["extendedInfo"]);
    }

    [Theory]
    [InlineData("status eq Completed'")]
    [InlineData("status eq 'Completed")]
    [InlineData("status ne 'Completed'")]
    [InlineData("status eq 'Completed' or status eq 'Failed'")]
    [InlineData("(status eq 'Completed')")]
    [InlineData("startswith(status, 'C')")]
    [InlineData("status eq 'Completed' and status eq 'Failed'")]
    [InlineData("zzz eq 'Completed'")]
    [InlineData("status")]
    public async Task A_bad_filter_is_refused_by_every_list(string filter)
    {
        foreach (string list in Scene.Lists)
        {
            Answer answer = await scene.ListAsync(list, "$filter=" + filter);
            Assert.Equal((list, 400, "InvalidFilterInQueryString"), (list, answer.Status, answer.Code));
        }
    }

    [Theory]
    [InlineData("backupJobs", "startTime eq 'yesterday'")]
    [InlineData("backupJobs", "endTime eq '2026-13-01 05:00:00 PM'")]
    [InlineData("{item}/recoveryPoints", "startDate eq '25:00'")]
    public async Task A_bad_time_is_refused(string list, string filter)
    {
        Answer answer = await scene.ListAsync(list, "$filter=" + filter);
        Assert.Equal((400, "InvalidQueryParameter"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Discovery_takes_its_filter_and_refuses_another()
    {
        Assert.Equal(202, (await scene.Host.PostAsync(BackupHost.Vault + "/backupFabrics/Azure/refreshContainers?$filter=backupManagementType eq 'AzureIaasVM'")).Status);
        Assert.Equal(400, (await scene.Host.PostAsync(BackupHost.Vault + "/backupFabrics/Azure/refreshContainers?$filter=zzz eq '1'")).Status);
        Assert.Equal(400, (await scene.Host.GetAsync(scene.Web1.Item + "?$filter=zzz eq '1'")).Status);
    }

    [Fact]
    public async Task No_list_has_a_next_link_on_its_last_page()
    {
        foreach (string list in Scene.Lists) Assert.False((await scene.ListAsync(list, "x=1")).Body!.AsObject().ContainsKey("nextLink"));
    }

    /// <summary>A vault with one protected machine, one backup, and a machine that nobody protects.</summary>
    public sealed class Scene : IAsyncLifetime
    {
        public static string[] Lists => ["backupProtectableItems", "backupProtectedItems", "backupProtectionContainers", "backupPolicies", "backupJobs", "{item}/recoveryPoints"];

        public BackupHost Host { get; private set; } = null!;

        public ProtectedMachine Web1 { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Host = await BackupHost.StartAsync();
            Host.Fabric.Add("free1");
            Web1 = await ProtectedMachine.ProtectAsync(Host);
            await Web1.BackUpAsync();
            await Host.PostAsync(BackupHost.Vault + "/backupFabrics/Azure/refreshContainers");
        }

        public Task<Answer> ListAsync(string list, string query) =>
            Host.GetAsync($"{(list.StartsWith('{') ? list.Replace("{item}", Web1.Item, StringComparison.Ordinal) : $"{BackupHost.Vault}/{list}")}?{query}");

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }
}
