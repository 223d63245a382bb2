using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>
/// The story a person plays with az, command by command: group, vault, policies, a host, protection, two backups with a
/// change between them, restore, and away with it all. Each step checks what the command printed.
/// </summary>
internal sealed class AzStory(AzCli az, ArmClient client, ServerProcess server, SampleMachine machine, string hostFolder)
{
    private const string Account = "restores1";
    private readonly Lab _lab = Lab.Of(server);
    private readonly string _vault = "-g lab -v vault1";
    private readonly string _item = "-g lab -v vault1 -c web1 -i web1";
    private readonly string _typedItem = "-g lab -v vault1 -c web1 -i web1 --backup-management-type AzureIaasVM";

    public async Task MakeVaultAsync(CancellationToken cancellationToken)
    {
        var group = await az.RunAsync("group create -n lab -l home", cancellationToken);
        Assert.Equal("Succeeded", group!["properties"]!["provisioningState"]!.GetValue<string>());

        var created = await az.RunAsync("backup vault create -g lab -n vault1 -l home", cancellationToken);
        Assert.Equal("vault1", created!["name"]!.GetValue<string>());
        var shown = await az.RunAsync("backup vault show -g lab -n vault1", cancellationToken);
        Assert.Equal(_lab.VaultPath, shown!["id"]!.GetValue<string>());
        Assert.Equal("Succeeded", shown["properties"]!["provisioningState"]!.GetValue<string>());
        Assert.Equal(["vault1"], Names(await az.ListAsync("backup vault list", cancellationToken)));
        Assert.Equal(["vault1"], Names(await az.ListAsync("backup vault list -g lab", cancellationToken)));

        await az.RunAsync("backup vault backup-properties set -g lab -n vault1 --soft-delete-feature-state Disable", cancellationToken);
        var properties = await az.RunAsync("backup vault backup-properties show -g lab -n vault1", cancellationToken);
        Assert.Contains("Disabled", properties!.ToJsonString(), StringComparison.Ordinal);
    }

    public async Task ReadPoliciesAsync(CancellationToken cancellationToken)
    {
        var policies = await az.ListAsync($"backup policy list {_vault}", cancellationToken);
        Assert.Equal(["DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup"], Names(policies).Order());
        var policy = await az.RunAsync($"backup policy show {_vault} -n DefaultPolicy", cancellationToken);
        Assert.Equal("AzureIaasVM", policy!["properties"]!["backupManagementType"]!.GetValue<string>());
    }

    public async Task AddHostAsync(CancellationToken cancellationToken)
    {
        var host = await az.RestAsync("put", _lab.HostUrl, _lab.HostBody(hostFolder), cancellationToken);
        Assert.Equal("Strongroom.Fabric/hosts", host!["type"]!.GetValue<string>(), ignoreCase: true);
        var machines = await az.RestAsync("get",
            $"{_lab.GroupPath}/providers/Microsoft.Compute/virtualMachines?api-version={Lab.ComputeVersion}", null, cancellationToken);
        Assert.Equal([machine.Name], Names(machines!["value"]!.AsArray().OfType<JsonNode>()));
    }

    public async Task DiscoverAsync(CancellationToken cancellationToken)
    {
        Assert.Empty(await az.ListAsync($"backup container list {_vault} --backup-management-type AzureIaasVM", cancellationToken));
        var filter = "$filter=" + Uri.EscapeDataString("backupManagementType eq 'AzureIaasVM'");
        await az.RestAsync("post", _lab.VaultUrl("backupFabrics/Azure/refreshContainers", filter), null, cancellationToken);
        // az rest does not show the operation's URL, so the wait is for its effect.
        for (var attempt = 0; ; attempt++)
        {
            var items = await az.RestAsync("get", _lab.VaultUrl("backupProtectableItems", filter), null, cancellationToken);
            var names = items!["value"]!.AsArray().Select(item => item!["properties"]!["friendlyName"]!.GetValue<string>()).ToList();
            if (names.Contains(machine.Name))
                break;
            Assert.True(attempt < 10, $"{machine.Name} is not among the protectable items: {items.ToJsonString()}");
        }
    }

    /// <summary>For an az whose own enable-for-vm fails before it sends anything.</summary>
    public async Task ProtectByRestAsync(CancellationToken cancellationToken)
    {
        await az.RestAsync("put", _lab.ItemUrl(), _lab.ProtectBody(), cancellationToken);
        await AssertProtectedAsync(cancellationToken);
    }

    public async Task ProtectAsync(CancellationToken cancellationToken)
    {
        var job = await az.RunAsync($"backup protection enable-for-vm {_vault} --vm {machine.Name} -p DefaultPolicy", cancellationToken);
        Assert.Equal("ConfigureBackup", job!["properties"]!["operation"]!.GetValue<string>());
        await AssertProtectedAsync(cancellationToken);
    }

    /// <summary>Backs up and returns the name of the recovery point that came of it.</summary>
    public async Task<string> BackUpAsync(CancellationToken cancellationToken)
    {
        var before = Names(await RecoveryPointsAsync(cancellationToken)).ToHashSet();
        var retainUntil = TimeProvider.System.GetUtcNow().AddDays(30).ToString("dd-MM-yyyy", CultureInfo.InvariantCulture);
        var started = await az.RunAsync($"backup protection backup-now {_typedItem} --retain-until {retainUntil}", cancellationToken);
        var job = await WaitAsync(started!, cancellationToken);
        Assert.Equal("Backup", job["properties"]!["operation"]!.GetValue<string>());
        Assert.Contains((await az.ListAsync($"backup job list {_vault}", cancellationToken)).Select(Name), name => name == Name(job));

        var points = await RecoveryPointsAsync(cancellationToken);
        var added = Assert.Single(Names(points), name => !before.Contains(name));
        var shown = await az.RunAsync($"backup recoverypoint show {_typedItem} --workload-type VM -n {added}", cancellationToken);
        Assert.Equal("IaasVMRecoveryPoint", shown!["properties"]!["objectType"]!.GetValue<string>());
        return added;
    }

    public Task MakeStorageAccountAsync(CancellationToken cancellationToken) =>
        az.RunAsync($"storage account create -n {Account} -g lab -l home --sku Standard_LRS", cancellationToken);

    /// <summary>Restores the disks and compares them with what they held when the recovery point was made.</summary>
    public async Task RestoreAsync(string recoveryPoint, IReadOnlyList<DiskContent> expected, CancellationToken cancellationToken)
    {
        var started = await az.RunAsync($"backup restore restore-disks {_item} -r {recoveryPoint} --storage-account {Account}", cancellationToken);
        var job = await WaitAsync(started!, cancellationToken);
        Assert.Equal("Restore", job["properties"]!["operation"]!.GetValue<string>());
        await RestoredDisks.AssertEqualAsync(client, job, expected, cancellationToken);
    }

    /// <summary>Restores into a resource group, where the disks then are resources.</summary>
    public async Task RestoreAsDisksAsync(string recoveryPoint, CancellationToken cancellationToken)
    {
        await az.RunAsync("group create -n restored -l home", cancellationToken);
        var started = await az.RunAsync(
            $"backup restore restore-disks {_item} -r {recoveryPoint} --storage-account {Account} --target-resource-group restored", cancellationToken);
        await WaitAsync(started!, cancellationToken);
        Assert.Equal(machine.Disks.Count, (await az.ListAsync("disk list -g restored", cancellationToken)).Count);
    }

    /// <summary>Restores the machine as a new one on the same host, in a network that az looks for.</summary>
    public async Task RestoreAsNewMachineAsync(string recoveryPoint, IReadOnlyList<DiskContent> expected, CancellationToken cancellationToken)
    {
        await client.ChangeAsync(HttpMethod.Put, $"{_lab.GroupPath}/providers/Microsoft.Network/virtualNetworks/net1?api-version=2019-11-01", new JsonObject
        {
            ["location"] = _lab.Location,
            ["properties"] = new JsonObject
            {
                ["addressSpace"] = new JsonObject { ["addressPrefixes"] = new JsonArray("10.0.0.0/16") },
                ["subnets"] = new JsonArray(new JsonObject { ["name"] = "default" }),
            },
        }, cancellationToken);
        var started = await az.RunAsync(
            $"backup restore restore-disks {_item} -r {recoveryPoint} --storage-account {Account} --restore-mode AlternateLocation --target-resource-group lab "
            + "--target-vm-name web2 --target-vnet-name net1 --target-vnet-resource-group lab --target-subnet-name default", cancellationToken);
        var job = await WaitAsync(started!, cancellationToken);
        Assert.Equal("AlternateLocation", job["properties"]!["extendedInfo"]!["internalPropertyBag"]!["restoreLocationType"]!.GetValue<string>());
        Assert.Equal(expected, Directory.GetFiles(Path.Combine(hostFolder, "web2"), "*.raw").Order(StringComparer.Ordinal).Select(disk => new DiskContent(new FileInfo(disk).Length, SampleDisk.Sha256(disk))));
    }

    /// <summary>Gives the machine the disks of a recovery point back.</summary>
    public async Task RestoreInPlaceAsync(string recoveryPoint, IReadOnlyList<DiskContent> expected, CancellationToken cancellationToken)
    {
        Assert.NotEqual(expected, machine.Content());
        var started = await az.RunAsync($"backup restore restore-disks {_item} -r {recoveryPoint} --storage-account {Account} --restore-mode OriginalLocation", cancellationToken);
        var job = await WaitAsync(started!, cancellationToken);
        Assert.Equal("OriginalLocation", job["properties"]!["extendedInfo"]!["internalPropertyBag"]!["restoreLocationType"]!.GetValue<string>());
        Assert.Equal(expected, machine.Content());
    }

    public async Task TakeDownAsync(CancellationToken cancellationToken)
    {
        var complaint = await az.FailAsync("backup vault delete -g lab -n vault1 --yes", cancellationToken);
        Assert.Contains("existing resources within the vault", complaint, StringComparison.OrdinalIgnoreCase);
        Assert.Single(await az.ListAsync("backup vault list -g lab", cancellationToken));

        var disabled = await az.RunAsync($"backup protection disable {_typedItem} --delete-backup-data true --yes", cancellationToken);
        await WaitAsync(disabled!, cancellationToken);
        Assert.Empty(await az.ListAsync($"backup item list {_vault}", cancellationToken));
        await az.RunAsync("backup vault delete -g lab -n vault1 --yes", cancellationToken);
        Assert.Empty(await az.ListAsync("backup vault list -g lab", cancellationToken));
    }

    private async Task AssertProtectedAsync(CancellationToken cancellationToken)
    {
        // The command returns when the operation is accepted; the item's row is there when its job has ended.
        for (var attempt = 0; ; attempt++)
        {
            var items = await az.ListAsync($"backup item list {_vault} --backup-management-type AzureIaasVM --workload-type VM", cancellationToken);
            if (items.Count > 0)
            {
                Assert.Equal(machine.Name, Assert.Single(items)["properties"]!["friendlyName"]!.GetValue<string>());
                break;
            }
            Assert.True(attempt < 10, "The machine never became a protected item.");
        }
        Assert.Single(await az.ListAsync($"backup container list {_vault} --backup-management-type AzureIaasVM", cancellationToken));
        Assert.Empty(await RecoveryPointsAsync(cancellationToken));
    }

    private async Task<JsonNode> WaitAsync(JsonNode started, CancellationToken cancellationToken)
    {
        var name = Name(started);
        // az looks every 30 seconds; looking here first spares most of that and changes nothing that az sees.
        await Jobs.WaitAsync(client, _lab, name, TimeSpan.FromMinutes(10), cancellationToken);
        await az.RunAsync($"backup job wait {_vault} -n {name} --timeout 300", cancellationToken);
        var job = await az.RunAsync($"backup job show {_vault} -n {name}", cancellationToken);
        Assert.True(Jobs.Status(job!) == "Completed", job!.ToJsonString());
        // What az prints has lost the members its SDK does not know; the checks that follow want the wire's own.
        return await client.GetAsync(_lab.VaultUrl($"backupJobs/{name}"), cancellationToken);
    }

    private Task<IReadOnlyList<JsonNode>> RecoveryPointsAsync(CancellationToken cancellationToken) =>
        az.ListAsync($"backup recoverypoint list {_typedItem} --workload-type VM", cancellationToken);

    private static string Name(JsonNode resource) => resource["name"]!.GetValue<string>();

    private static IEnumerable<string> Names(IEnumerable<JsonNode> resources) => resources.Select(Name);
}
