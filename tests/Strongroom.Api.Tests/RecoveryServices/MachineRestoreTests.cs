using System.Text.Json.Nodes;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Backup.Machines;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Restores of a whole machine, as az and the SDKs ask for them, and what is refused.</summary>
public sealed class MachineRestoreTests : IAsyncLifetime
{
    private const string Network = BackupHost.Lab + "/providers/Microsoft.Network/virtualNetworks/net1";

    private BackupHost _host = null!;
    private ProtectedMachine _web1 = null!;
    private string _point = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BackupHost.StartAsync();
        _web1 = await ProtectedMachine.ProtectAsync(_host);
        await _host.PutAsync(_web1.Account, """{"location":"home"}""");
        _point = await _web1.BackUpAsync();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_machine_is_restored_as_a_new_one_into_the_network_that_the_client_found()
    {
        Assert.Equal(201, (await _host.PutAsync(BackupHost.Subscription + "/resourceGroups/other", """{"location":"home"}""")).Status);
        Assert.Equal(201, (await _host.PutAsync(Network, """{"location":"home","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"default","properties":{"addressPrefix":"10.0.0.0/24"}}]}}""")).Status);
        // As az asks: other case, two slashes.
        JsonNode network = (await _host.GetAsync(BackupHost.Subscription + "/resourcegroups/lab/providers/Microsoft.Network/virtualNetworks//net1", "2019-11-01")).Body!;
        JsonNode subnet = network["properties"]!["subnets"]![0]!;
        Assert.Equal(("default", Network + "/subnets/default"), ((string?)subnet["name"], (string?)subnet["id"]));

        Answer accepted = await RestoreAsync("AlternateLocation", new JsonObject
        {
            ["targetVirtualMachineId"] = BackupHost.Subscription + "/resourceGroups/other/providers/Microsoft.Compute/virtualmachines/web2",
            ["targetResourceGroupId"] = BackupHost.Subscription + "/resourceGroups/other",
            ["virtualNetworkId"] = (string?)network["id"],
            ["subnetId"] = (string?)subnet["id"],
            ["encryptionDetails"] = new JsonObject { ["encryptionEnabled"] = false },
            ["identityInfo"] = new JsonObject { ["isSystemAssignedIdentity"] = true },
            ["zones"] = new JsonArray(),
        });
        JsonNode job = await EndOfAsync(accepted);

        Assert.Equal("Completed", (string?)job["status"]);
        JsonNode info = job["extendedInfo"]!;
        Assert.Equal(["Transfer data from vault", "Create the restored virtual machine"], info["tasksList"]!.AsArray().Select(t => (string)t!["taskId"]!));
        Assert.Equal(("web2", "AlternateLocation", 100.0), ((string?)info["propertyBag"]!["Target VM Name"], (string?)info["internalPropertyBag"]!["restoreLocationType"], (double?)info["progressPercentage"]));
        Answer made = await _host.GetAsync(BackupHost.Subscription + "/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/web2", "2022-11-01");
        Assert.Equal(200, made.Status);
        VirtualMachine restored = (await _host.Fabric.FindAsync(ArmHost.Subscription, "other", "web2", CancellationToken.None))!;
        VirtualMachine source = (await _host.Fabric.FindAsync(ArmHost.Subscription, "lab", "web1", CancellationToken.None))!;
        Assert.Equal(_host.Fabric.Content(source, -1), _host.Fabric.Content(restored, -1));
        Assert.Equal(_host.Fabric.Content(source, 0), _host.Fabric.Content(restored, 0));
    }

    [Fact]
    public async Task A_machine_gets_its_disks_back()
    {
        VirtualMachine machine = (await _host.Fabric.FindAsync(ArmHost.Subscription, "lab", "web1", CancellationToken.None))!;
        byte[] was = [.. _host.Fabric.Content(machine, 0)];
        Array.Fill(_host.Fabric.Content(machine, 0), (byte)9);

        // Names of kinds are compared without regard to case, and an identity's details may name the account.
        JsonNode job = await EndOfAsync(await RestoreAsync("originallocation", new JsonObject
        {
            ["storageAccountId"] = null,
            ["identityBasedRestoreDetails"] = new JsonObject { ["targetStorageAccountId"] = _web1.Account },
        }));

        Assert.Equal("Completed", (string?)job["status"]);
        Assert.Equal("Update the virtual machine", (string?)job["extendedInfo"]!["tasksList"]![1]!["taskId"]);
        Assert.Equal("OriginalLocation", (string?)job["extendedInfo"]!["internalPropertyBag"]!["restoreLocationType"]);
        Assert.Equal(was, _host.Fabric.Content(machine, 0));
    }

    [Fact]
    public async Task An_empty_list_of_disks_is_the_operating_systems_disk_alone()
    {
        VirtualMachine machine = (await _host.Fabric.FindAsync(ArmHost.Subscription, "lab", "web1", CancellationToken.None))!;
        byte[] was = [.. _host.Fabric.Content(machine, -1)];
        Array.Fill(_host.Fabric.Content(machine, -1), (byte)9);
        Array.Fill(_host.Fabric.Content(machine, 0), (byte)9);

        JsonNode job = await EndOfAsync(await RestoreAsync("OriginalLocation", new JsonObject { ["restoreDiskLunList"] = new JsonArray() }));

        Assert.Equal("Completed", (string?)job["status"]);
        Assert.Equal(was, _host.Fabric.Content(machine, -1));
        Assert.All(_host.Fabric.Content(machine, 0), b => Assert.Equal(9, b));
    }

    [Theory]
    [InlineData("AlternateLocation", "{}", "BMSUserErrorInvalidInput")]
    [InlineData("AlternateLocation", """{"targetVirtualMachineId":"web2"}""", "BMSUserErrorInvalidInput")]
    [InlineData("AlternateLocation", """{"targetVirtualMachineId":"{group}/providers/Microsoft.Compute/virtualMachines/we b"}""", "BMSUserErrorInvalidInput")]
    [InlineData("AlternateLocation", """{"targetVirtualMachineId":"{group}x/providers/Microsoft.Compute/virtualMachines/web2","targetResourceGroupId":"{group}"}""", "BMSUserErrorInvalidInput")]
    [InlineData("AlternateLocation", """{"targetVirtualMachineId":"{group}/providers/Microsoft.Compute/virtualMachines/web2","restoreDiskLunList":[0]}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"region":"elsewhere"}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"restoreDiskLunList":[-1,9]}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"sourceResourceId":"{group}/providers/Microsoft.Compute/virtualMachines/web9"}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"virtualNetworkId":"net1"}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"subnetId":"{group}/providers/Microsoft.Network/virtualNetworks/net1"}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"originalStorageAccountOption":true}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"encryptionDetails":{"encryptionEnabled":true}}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"targetDiskNetworkAccessSettings":{"targetDiskNetworkAccessOption":"Other"}}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"zones":[1]}""", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"storageAccountId":""}""", "BMSUserErrorInvalidInput")]
    [InlineData("Offline", "{}", "BMSUserErrorInvalidInput")]
    [InlineData("RestoreDisks", """{"targetDiskNetworkAccessSettings":{"targetDiskNetworkAccessOption":"EnablePrivateAccessForAllDisks"}}""", "BMSUserErrorOperationNotSupported")]
    [InlineData("RestoreDisks", """{"zones":["1"]}""", "BMSUserErrorOperationNotSupported")]
    [InlineData("RestoreDisks", """{"diskEncryptionSetId":"x"}""", "BMSUserErrorOperationNotSupported")]
    [InlineData("RestoreDisks", """{"securedVMDetails":{"securedVMOsDiskEncryptionSetId":"x"}}""", "BMSUserErrorOperationNotSupported")]
    [InlineData("RestoreDisks", """{"extendedLocation":{"name":"edge","type":"EdgeZone"}}""", "BMSUserErrorOperationNotSupported")]
    [InlineData("RestoreDisks", """{"objectType":"IaasVMRestoreWithRehydrationRequest","recoveryPointRehydrationInfo":{}}""", "BMSUserErrorOperationNotSupported")]
    public async Task What_is_wrong_or_not_to_be_had_is_refused(string recoveryType, string with, string code)
    {
        Answer answer = await RestoreAsync(recoveryType, JsonNode.Parse(with.Replace("{group}", BackupHost.Lab, StringComparison.Ordinal))!.AsObject());
        Assert.Equal((400, code), (answer.Status, answer.Code));
        Assert.DoesNotContain((await _host.GetAsync(BackupHost.Vault + "/backupJobs")).Value, j => (string?)j!["properties"]!["operation"] == "Restore");
    }

    [Theory]
    [InlineData("AlternateLocation", """{"targetVirtualMachineId":"{other}/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/web2"}""")]
    [InlineData("RestoreDisks", """{"targetResourceGroupId":"{other}/resourceGroups/lab"}""")]
    [InlineData("RestoreDisks", """{"storageAccountId":"{other}/resourceGroups/lab/providers/Microsoft.Storage/storageAccounts/restores1"}""")]
    public async Task A_vault_may_forbid_restores_to_other_subscriptions(string recoveryType, string with)
    {
        string body = """{"properties":{"restoreSettings":{"crossSubscriptionRestoreSettings":{"crossSubscriptionRestoreState":"Disabled"}}}}""";
        Answer set = await _host.PatchAsync(BackupHost.Vault, body);
        Assert.InRange(set.Status, 200, 202);
        with = with.Replace("{other}", "/subscriptions/" + Guid.NewGuid(), StringComparison.Ordinal);
        Answer answer = await RestoreAsync(recoveryType, JsonNode.Parse(with)!.AsObject());
        Assert.Equal((400, "BMSUserErrorInvalidInput"), (answer.Status, answer.Code));
        Assert.Contains("crossSubscriptionRestoreState", answer.Body!["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("Completed", (string?)(await EndOfAsync(await RestoreAsync("RestoreDisks", [])))["status"]);
    }

    [Theory]
    [InlineData("""{"zones":["NoZone"]}""")]
    [InlineData("""{"targetDiskNetworkAccessSettings":{"targetDiskNetworkAccessOption":"SameAsOnSourceDisks"},"securedVMDetails":{},"restoreWithManagedDisks":true,"region":"Home"}""")]
    public async Task What_asks_for_nothing_special_is_taken(string with) =>
        Assert.Equal("Completed", (string?)(await EndOfAsync(await RestoreAsync("RestoreDisks", JsonNode.Parse(with)!.AsObject())))["status"]);

    [Fact]
    public async Task A_name_that_is_taken_fails_the_job_and_the_machine_stays()
    {
        JsonNode job = await EndOfAsync(await RestoreAsync("AlternateLocation", new JsonObject { ["targetVirtualMachineId"] = BackupHost.Lab + "/providers/Microsoft.Compute/virtualMachines/WEB1" }));
        Assert.Equal(("Failed", 400349), ((string?)job["status"], (int?)job["errorDetails"]![0]!["errorCode"]));
    }

    [Fact]
    public async Task The_selection_of_disks_is_shown_and_reset()
    {
        await PutAsync("""{"diskExclusionProperties":{"diskLunList":[],"isInclusionList":true}}""");
        Assert.Equal("""{"diskLunList":[],"isInclusionList":true}""", await SelectionAsync());
        string point = await _web1.BackUpAsync();
        JsonNode disks = (await _host.GetAsync($"{_web1.Item}/recoveryPoints/{point}")).Body!["properties"]!["recoveryPointDiskConfiguration"]!;
        Assert.Equal((1, 2, 0), ((int)disks["numberOfDisksIncludedInBackup"]!, (int)disks["numberOfDisksAttachedToVm"]!, (int)disks["excludedDiskList"]![0]!["lun"]!));

        // A change of the policy alone says nothing of disks.
        Assert.Equal(202, (await _host.PutAsync(_web1.Item, _web1.EnableBody("EnhancedPolicy"))).Status);
        Assert.Equal("""{"diskLunList":[],"isInclusionList":true}""", await SelectionAsync());
        await PutAsync("""{"diskExclusionProperties":{"diskLunList":[0],"isInclusionList":false}}""", "EnhancedPolicy");
        Assert.Equal("""{"diskLunList":[0],"isInclusionList":false}""", await SelectionAsync());

        // How az resets it.
        await PutAsync("{}", "EnhancedPolicy");
        Assert.Null(await SelectionAsync());
        point = await _web1.BackUpAsync();
        Assert.Equal(2, (int)(await _host.GetAsync($"{_web1.Item}/recoveryPoints/{point}")).Body!["properties"]!["recoveryPointDiskConfiguration"]!["numberOfDisksIncludedInBackup"]!);
    }

    [Theory]
    [InlineData("""{"location":"home","properties":{"addressSpace":{"addressPrefixes":["ten"]}}}""")]
    [InlineData("""{"location":"home","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[{"name":"a"},{"name":"A"}]}}""")]
    [InlineData("""{"location":"home","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]},"subnets":[7]}}""")]
    [InlineData("""{"location":"home","properties":{}}""")]
    [InlineData("""{"location":"mars","properties":{"addressSpace":{"addressPrefixes":["10.0.0.0/16"]}}}""")]
    public async Task A_network_that_makes_no_sense_is_refused(string body)
    {
        Assert.Equal(400, (await _host.PutAsync(Network, body)).Status);
        Assert.Equal(404, (await _host.GetAsync(Network)).Status);
        Assert.Empty((await _host.GetAsync(BackupHost.Subscription + "/providers/Microsoft.Network/virtualNetworks")).Value);
    }

    private Task<Answer> RestoreAsync(string recoveryType, JsonObject with)
    {
        JsonObject body = JsonNode.Parse(_web1.RestoreBody(_point))!.AsObject();
        JsonObject properties = body["properties"]!.AsObject();
        properties["recoveryType"] = recoveryType;
        foreach ((string name, JsonNode? value) in with) properties[name] = value?.DeepClone();
        return _host.PostAsync($"{_web1.Item}/recoveryPoints/{_point}/restore", body.ToJsonString());
    }

    private async Task<JsonNode> EndOfAsync(Answer accepted)
    {
        Assert.Equal(202, accepted.Status);
        // For restores the service uses one id for the job and its operation.
        return (await _host.WaitAsync(BackupHost.Vault, ProtectedMachine.OperationOf(accepted)))["properties"]!;
    }

    private async Task PutAsync(string extended, string policy = "DefaultPolicy")
    {
        JsonObject body = JsonNode.Parse(_web1.EnableBody(policy))!.AsObject();
        body["properties"]!["extendedProperties"] = JsonNode.Parse(extended);
        Assert.Equal(202, (await _host.PutAsync(_web1.Item, body.ToJsonString())).Status);
    }

    private async Task<string?> SelectionAsync() => (await _host.GetAsync(_web1.Item)).Body!["properties"]!["extendedProperties"]!["diskExclusionProperties"]?.ToJsonString();
}
