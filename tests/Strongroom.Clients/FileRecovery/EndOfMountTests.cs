using System.Net;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;
using Strongroom.Clients.TimeTravel;

namespace Strongroom.Clients.FileRecovery;

/// <summary>A mount ends with its twelve hours and with the server's process, however that ends, and leaves nothing behind.</summary>
public sealed class EndOfMountTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 1_800_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_ended_has_ended_its_mounts(bool isKilled)
    {
        var token = TestContext.Current.CancellationToken;
        var hostFolder = _folder.Combine("machines");
        SampleMachine.Create(hostFolder, "web1", seed: 41, 4);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, token);
        using var client = await ArmClient.SignInAsync(server, token);
        var lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(client, lab, hostFolder, "restores1", token);
        var point = await LabSetUp.BackUpAsync(client, lab, token);
        var mount = await MountedPoint.ProvisionAsync(client, lab, point, token);
        Assert.True(await IsMountedAsync(client));
        Assert.Equal(HttpStatusCode.UpgradeRequired, await TunnelAsync(client));

        if (isKilled) server.Kill();
        else await server.StopAsync(token);
        await server.StartAsync(token);

        using var again = client.Reconnect();
        Assert.False(await IsMountedAsync(again));
        Assert.Equal(HttpStatusCode.NotFound, await TunnelAsync(again));
        // And the point can be mounted anew.
        Assert.NotEqual(mount.Target, (await MountedPoint.ProvisionAsync(again, lab, point, token)).Target);

        async Task<bool> IsMountedAsync(ArmClient by) => (bool)(await by.GetAsync(lab.ItemUrl($"recoveryPoints/{point}"), token))["properties"]!["isInstantIlrSessionActive"]!;
        async Task<HttpStatusCode> TunnelAsync(ArmClient by)
        {
            using var answer = await by.SendAsync(HttpMethod.Get, mount.Value("TargetPortalPath"), null, token);
            return answer.StatusCode;
        }
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_tester_moves_the_clock_over_the_twelve_hours()
    {
        var token = TestContext.Current.CancellationToken;
        var hostFolder = _folder.Combine("machines");
        SampleMachine.Create(hostFolder, "web1", seed: 42, 4);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, ["--time-travel"], token);
        using var client = await ArmClient.SignInAsync(server, token);
        var lab = Lab.Of(server);
        await LabSetUp.ProtectAsync(client, lab, hostFolder, "restores1", token);
        var point = await LabSetUp.BackUpAsync(client, lab, token);
        var clock = new TestersClock();
        await MountedPoint.ProvisionAsync(client, lab, point, token);
        await clock.AdvanceAsync(client, "PT11H59M", token);
        Assert.True(await IsMountedAsync());
        await clock.AdvanceAsync(client, "PT1M", token);
        Assert.False(await IsMountedAsync());
        // Nobody asks for it: the server takes the target away by itself.
        while (!server.LogTail.Contains("has ended after its time", StringComparison.Ordinal)) await Task.Delay(100, token);

        async Task<bool> IsMountedAsync() => (bool)(await client.GetAsync(lab.ItemUrl($"recoveryPoints/{point}"), token))["properties"]!["isInstantIlrSessionActive"]!;
    }
}
