using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Live;
using Strongroom.Libvirt.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;

namespace Strongroom.Libvirt.Remote;

/// <summary>Hosts that stop answering while their connections stay open.</summary>
public sealed class SilentHostTests
{
    private static readonly ConnectionLimits Short = new() { Opening = TimeSpan.FromSeconds(2), FirstHanging = TimeSpan.FromSeconds(3), KeepAliveSeconds = 1, KeepAliveCount = 2 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_800_000)]
    public async Task Calls_under_way_end_and_a_new_connection_is_made_when_the_host_is_back()
    {
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        await using var proxy = new SilentProxy(host.TlsPort);
        using var lab = new LiveLab(host, Short) { Uri = host.TlsUriAt(proxy.Port) };
        var connections = lab.Fabric.Connections;
        await connections.UseAsync(lab.Host, connection => connection.ListNetworks(), Cancellation);

        proxy.FallSilent();
        var another = connections.UseAsync(lab.Host, connection => connection.ListNetworks(), Cancellation);
        var broken = await Assert.ThrowsAsync<MachineException>(() => connections.UseAsync(lab.Host, connection => connection.ListNetworks(), Cancellation));
        Assert.Equal(MachineProblem.HostUnreachable, broken.Problem);
        Assert.Equal(MachineProblem.HostUnreachable, (await Assert.ThrowsAsync<MachineException>(() => another)).Problem);
        // The next one is not let in, and does not wait for ever.
        var refused = await Assert.ThrowsAsync<MachineException>(() => connections.UseAsync(lab.Host, connection => connection.ListNetworks(), Cancellation));
        Assert.Equal((MachineProblem.HostUnreachable, "Host 'kvm1' does not answer."), (refused.Problem, refused.Message));
        Assert.Empty(await lab.ListMachinesAsync(Cancellation));

        proxy.Recover();
        // The try that hangs is waited for no longer than FirstHanging.
        while (true)
        {
            try
            {
                await connections.UseAsync(lab.Host, connection => connection.ListNetworks(), Cancellation);
                return;
            }
            catch (MachineException exception) when (exception.Problem == MachineProblem.HostUnreachable)
            {
                await Task.Delay(100, Cancellation);
            }
        }
    }

    [Fact(Timeout = 1_800_000)]
    public async Task A_backup_whose_host_falls_silent_ends_and_its_traces_go_when_the_host_is_back()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation, listensForTls: true);
        await using var proxy = new SilentProxy(host.TlsPort);
        using var lab = new LiveLab(host, Short) { Uri = host.TlsUriAt(proxy.Port) };
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1"), Cancellation);
        await machine.StartAsync(Cancellation);
        var first = await lab.BackUpAsync("web1", null, Cancellation);
        var snapshot = await lab.SnapshotAsync("web1", first, Cancellation);
        proxy.FallSilent();
        var end = snapshot.DisposeAsync();
        await Assert.ThrowsAsync<MachineException>(() => lab.SnapshotAsync("web1", first, Cancellation));
        proxy.Recover();
        await end;

        var second = await BackUpWhenBackAsync();
        Assert.DoesNotContain(second.Notes, note => note.Contains("compared", StringComparison.Ordinal));
        await LiveLab.AssertCleanAsync(host, second, machine, Cancellation);

        async Task<TakenPoint> BackUpWhenBackAsync()
        {
            while (true)
            {
                try
                {
                    return await lab.BackUpAsync("web1", first, Cancellation);
                }
                catch (MachineException exception) when (exception.Problem == MachineProblem.HostUnreachable)
                {
                    await Task.Delay(100, Cancellation);
                }
            }
        }
    }
}
