using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Api.Tests.Support;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Compute;

public sealed class ComputeTests : IAsyncLifetime
{
    private const string Machines = PlatformHost.Lab + "/providers/Microsoft.Compute/virtualMachines";
    private const string Disks = PlatformHost.Lab + "/providers/Microsoft.Compute/disks";

    private const string Interfaces = PlatformHost.Lab + "/providers/Microsoft.Network/networkInterfaces";

    private PlatformHost _host = null!;

    public async ValueTask InitializeAsync() => _host = await PlatformHost.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_machine_has_what_clients_read_of_it()
    {
        VirtualMachine machine = _host.Fabric.Add("Web1", "Lab", new MachineDisk(-1, "os", (3L << 30) + 1, "raw"), new MachineDisk(0, "data", 1L << 30, "qcow2"));
        Answer answer = await _host.GetAsync(Machines + "/web1", "2022-11-01");
        JsonNode body = answer.Body!;
        Assert.Equal(PlatformHost.Subscription + "/resourceGroups/Lab/providers/Microsoft.Compute/virtualMachines/Web1", (string?)body["id"]);
        Assert.Equal(("Microsoft.Compute/virtualMachines", "home"), ((string?)body["type"], (string?)body["location"]));
        JsonNode properties = body["properties"]!;
        Assert.Equal((machine.VmId.ToString(), "Web1", "Succeeded"), ((string?)properties["vmId"], (string?)properties["osProfile"]!["computerName"], (string?)properties["provisioningState"]));
        JsonNode storage = properties["storageProfile"]!;
        Assert.Equal(("Linux", "os", 4), ((string?)storage["osDisk"]!["osType"], (string?)storage["osDisk"]!["name"], (int)storage["osDisk"]!["diskSizeGB"]!));
        JsonNode data = Assert.Single(storage["dataDisks"]!.AsArray())!;
        Assert.Equal((0, "data", 1), ((int)data["lun"]!, (string?)data["name"], (int)data["diskSizeGB"]!));
        Assert.Null(properties["instanceView"]);
    }

    [Fact]
    public async Task The_instance_view_tells_what_keeps_a_machine_from_being_backed_up()
    {
        _host.Fabric.Machines.Add(_host.Fabric.Add("web1") with { Name = "web2", Problem = "Disk a.qcow2 is encrypted." });
        Answer view = await _host.GetAsync(Machines + "/web2/instanceView");
        Assert.Contains(view.Body!["statuses"]!.AsArray(), s => (string?)s!["message"] == "Disk a.qcow2 is encrypted.");
        Assert.NotNull((await _host.GetAsync(Machines + "/web1?$expand=instanceView")).Body!["properties"]!["instanceView"]);
        Assert.Equal("InvalidQueryParameter", (await _host.GetAsync(Machines + "/web1?$expand=nonsense")).Code);
    }

    [Theory]
    [InlineData("running", "VM running")]
    [InlineData("stopped", "VM stopped")]
    [InlineData("deallocated", "VM deallocated")]
    [InlineData(null, null)]
    public async Task The_instance_view_tells_whether_a_machine_runs_where_its_host_knows(string? power, string? shown)
    {
        _host.Fabric.Machines.Add(_host.Fabric.Add("other") with { Name = "web1", PowerState = power });
        JsonArray statuses = (await _host.GetAsync(Machines + "/web1/instanceView")).Body!["statuses"]!.AsArray();
        JsonNode? state = statuses.SingleOrDefault(s => ((string)s!["code"]!).StartsWith("PowerState/", StringComparison.Ordinal));
        Assert.Equal((power is null ? null : "PowerState/" + power, shown), ((string?)state?["code"], (string?)state?["displayStatus"]));
    }

    [Fact]
    public async Task The_network_interfaces_of_a_machine_answer_by_the_ids_that_it_names()
    {
        _host.Fabric.Machines.Add(_host.Fabric.Add("other") with { Name = "Web1", Networks = [new("52:54:00:ab:cd:ef", "lab", "virtio"), new("52:54:00:00:00:02", null, null)] });
        JsonArray named = (await _host.GetAsync(Machines + "/web1")).Body!["properties"]!["networkProfile"]!["networkInterfaces"]!.AsArray();
        Assert.Equal([true, false], named.Select(n => (bool)n!["properties"]!["primary"]!));
        JsonNode first = (await _host.GetAsync((string)named[0]!["id"]!)).Body!;
        Assert.Equal(((string?)named[0]!["id"], "Web1-nic0", "52-54-00-AB-CD-EF", true), ((string?)first["id"], (string?)first["name"], (string?)first["properties"]!["macAddress"], (bool)first["properties"]!["primary"]!));
        Assert.Equal(PlatformHost.Lab + "/providers/Microsoft.Compute/virtualMachines/Web1", (string?)first["properties"]!["virtualMachine"]!["id"]);
        Assert.Empty(first["properties"]!["ipConfigurations"]!.AsArray());
        Assert.Equal(["Web1-nic0", "Web1-nic1"], Names(await _host.GetAsync(Interfaces)));
        Assert.Equal(["Web1-nic0", "Web1-nic1"], Names(await _host.GetAsync(PlatformHost.Subscription + "/providers/Microsoft.Network/networkInterfaces")));
        Assert.Empty((await _host.GetAsync(Machines + "/other")).Body!["properties"]!["networkProfile"]!["networkInterfaces"]!.AsArray());
    }

    [Theory]
    [InlineData("web1")]
    [InlineData("web1-nic")]
    [InlineData("web1-nic1")]
    [InlineData("web1-nic00")]
    [InlineData("-nic0")]
    [InlineData("web2-nic0")]
    public async Task Other_network_interfaces_are_not_found(string name)
    {
        _host.Fabric.Machines.Add(_host.Fabric.Add("other") with { Name = "web1", Networks = [new("52:54:00:ab:cd:ef", null, null)] });
        Assert.Equal("ResourceNotFound", (await _host.GetAsync($"{Interfaces}/{name}")).Code);
    }

    [Fact]
    public async Task The_hosts_own_description_of_a_machine_is_never_shown()
    {
        _host.Fabric.Machines.Add(_host.Fabric.Add("other") with { Name = "web1", Definition = "<domain><graphics passwd='hunter2'/></domain>" });
        string[] places = [Machines, Machines + "/web1", Machines + "/web1?$expand=instanceView", Machines + "/web1/instanceView", Interfaces, PlatformHost.Lab + "/resources"];
        foreach (string place in places) Assert.DoesNotContain("hunter2", (await _host.GetAsync(place)).Body!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Machines_are_listed_by_group_and_by_subscription()
    {
        await _host.PutAsync(PlatformHost.Subscription + "/resourceGroups/other", """{"location":"home"}""");
        _host.Fabric.Add("a");
        _host.Fabric.Add("b", "other");
        Assert.Equal(["a"], Names(await _host.GetAsync(Machines)));
        Assert.Equal(["a", "b"], Names(await _host.GetAsync(PlatformHost.Subscription + "/providers/Microsoft.Compute/virtualMachines")));
        Answer page = await _host.GetAsync(PlatformHost.Subscription + "/providers/Microsoft.Compute/virtualMachines?$top=1");
        Assert.Equal(["b"], Names(await _host.FollowAsync((string)page.Body!["nextLink"]!)));
    }

    [Fact]
    public async Task A_machine_that_is_not_there_is_not_found()
    {
        Answer answer = await _host.GetAsync(Machines + "/none");
        Assert.Equal((404, "ResourceNotFound"), (answer.Status, answer.Code));
        Assert.Contains("'Microsoft.Compute/virtualMachines/none' under resource group 'lab' was not found", answer.Message, StringComparison.Ordinal);
        Assert.Equal("ResourceNotFound", (await _host.GetAsync(Machines + "/none/instanceView")).Code);
        Assert.Equal("MethodNotAllowed", (await _host.DeleteAsync(Machines + "/none")).Code);
    }

    [Fact]
    public async Task A_restored_disk_is_read_listed_and_deleted()
    {
        ResourceId id = ResourceId.ForResource(ArmHost.Subscription, "lab", "Microsoft.Compute", "disks", "web1-osdisk");
        await _host.Store.PutAsync(TrackedResources.New(id, "home", ResourceTags.None, new JsonObject { ["diskSizeGB"] = 4, ["provisioningState"] = "Succeeded" }) with { ETag = "1" }, null, default);
        Assert.Equal(4, (int)(await _host.GetAsync(Disks + "/WEB1-osdisk", "2022-07-02")).Body!["properties"]!["diskSizeGB"]!);
        Assert.Equal(["web1-osdisk"], Names(await _host.GetAsync(Disks)));
        Assert.Equal(["web1-osdisk"], Names(await _host.GetAsync(PlatformHost.Subscription + "/providers/Microsoft.Compute/disks")));
        Assert.Equal(200, (await _host.DeleteAsync(Disks + "/web1-osdisk")).Status);
        Assert.Equal(204, (await _host.DeleteAsync(Disks + "/web1-osdisk")).Status);
        Assert.Equal("ResourceNotFound", (await _host.GetAsync(Disks + "/web1-osdisk")).Code);
    }

    private static IEnumerable<string?> Names(Answer answer) => answer.Value.Select(v => (string?)v!["name"]);
}
