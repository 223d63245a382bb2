using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Az;

/// <summary>What `az vm` shows of machines, which belong to their hosts.</summary>
public sealed class AzMachineTests
{
    [Fact(Timeout = 600_000)]
    public async Task Machines_are_listed_and_shown_with_their_details()
    {
        var token = TestContext.Current.CancellationToken;
        // 2.45 of Debian 12 fails before it sends anything: its library lacks the api-version that it wants.
        await using var lab = await AzLab.StartAsync(AzEdition.Debian13, token);

        Assert.Equal(["web1"], (await lab.Az.ListAsync("vm list", token)).Select(machine => machine.Text("name")));
        var listed = Assert.Single(await lab.Az.ListAsync("vm list -g lab -d", token));
        // A folder of disks neither runs nor has a network.
        Assert.Equal(("web1", "", ""), (listed.Text("name"), listed.Text("powerState"), listed.Text("macAddresses")));
        var shown = await lab.Az.RunAsync("vm show -g lab -n web1 -d", token);
        Assert.Equal(lab.Lab.MachineId, shown!.Text("id"));
        var view = await lab.Az.RunAsync("vm get-instance-view -g lab -n web1", token);
        Assert.Contains(view!["instanceView"]!["statuses"]!.AsArray(), status => status!.Text("code") == "ProvisioningState/succeeded");
        Assert.Empty(await lab.Az.ListAsync("vm nic list -g lab --vm-name web1", token));
        Assert.Contains("web2", await lab.Az.FailAsync("vm show -g lab -n web2", token), StringComparison.Ordinal);
    }
}
