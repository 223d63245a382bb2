using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Live;

namespace Strongroom.Libvirt.Hosts;

/// <summary>Whether a host answers.</summary>
public sealed class HostProbeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_host_answers_while_its_libvirt_runs_and_again_when_it_has_come_back_and_is_the_machine_that_it_should_be()
    {
        await using var libvirtd = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(libvirtd);
        var host = Assert.Single(await lab.ListAsync("", Cancellation));
        IHostProbe probe = lab.Fabric;

        Assert.Null(await probe.ProbeAsync(host.SubscriptionId, host.Id, Cancellation));
        var scratch = libvirtd.Folders.Scratch;
        Directory.Move(scratch, scratch + "-away");
        Assert.Contains("does not exist", await probe.ProbeAsync(host.SubscriptionId, host.Id, Cancellation), StringComparison.Ordinal);
        Directory.Move(scratch + "-away", scratch);
        await libvirtd.KillAsync();
        Assert.Equal(MachineProblem.HostUnreachable, (await Assert.ThrowsAsync<MachineException>(() => probe.ProbeAsync(host.SubscriptionId, host.Id, Cancellation))).Problem);
        await libvirtd.StartAgainAsync(Cancellation);
        await probe.ProbeAsync(host.SubscriptionId, host.Id, Cancellation);

        using (var brief = new LiveLab(libvirtd, new() { Idle = TimeSpan.FromMilliseconds(100) }))
        {
            var connections = brief.Fabric.Connections;
            await connections.UseAsync(brief.Host, connection => connection.ListNetworks(), Cancellation);
            // One that nobody uses is closed.
            while (connections.IdleCount > 0) await Task.Delay(20, Cancellation);
            await connections.UseAsync(brief.Host, connection => connection.ListNetworks(), Cancellation);
        }

        using (var naming = libvirtd.StartBeside(Peer.RequireOrSkip("hostname", "hostname"), ["elsewhere"])) await naming.WaitForExitAsync(Cancellation);
        lab.Restart();
        probe = lab.Fabric;
        var tunnel = await Assert.ThrowsAsync<MachineException>(() => probe.ProbeAsync(host.SubscriptionId, host.Id, Cancellation));
        Assert.Equal((MachineProblem.HostUnreachable, "Host 'kvm1': its socket leads to another machine, 'elsewhere', which has to be named in the URI (qemu+ssh, qemu+tls)."), (tunnel.Problem, tunnel.Message));

        var other = await Assert.ThrowsAsync<MachineException>(() => probe.ProbeAsync(host.SubscriptionId, host.Id + "2", Cancellation));
        Assert.Equal(MachineProblem.HostUnreachable, other.Problem);
    }
}
