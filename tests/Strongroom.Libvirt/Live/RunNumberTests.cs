using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Libvirt.Live;

/// <summary>A machine that is started anew in the middle of the beginning of its backup.</summary>
public sealed class RunNumberTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Another_run_of_the_machine_is_not_tried_again()
    {
        var guest = await LiveGuest.FindAsync(Cancellation);
        await using var host = await Libvirtd.StartAsync(Cancellation);
        using var lab = new LiveLab(host);
        var machine = await LiveMachine.DefineAsync(host, guest, new("web1") { HasAgent = false }, Cancellation);
        (await host.VirshAsync(["start", "web1", "--paused"], Cancellation)).Succeeded();
        using var connection = LibvirtConnection.Open(host.Uri);
        using var domain = connection.FindDomain(machine.Uuid)!;
        var found = LibvirtMachines.Look(domain, lab.Host, static _ => { })!;
        var request = new MachineSnapshotRequest(lab.ItemKey, new(Guid.NewGuid(), 1)) { Selects = static _ => true, MayFreeze = false };
        using var place = new Place(host.Folders.Root);

        var same = new LiveBackupStart(connection, domain, found, request, place, static _ => null, NullLogger.Instance);
        Assert.Throws<LibvirtException>(same.Begin);
        Assert.NotEqual(0, place.Tries);

        place.Tries = 0;
        place.Before = () =>
        {
            using var again = connection.FindDomain(machine.Uuid)!;
            again.Destroy();
            again.Start(isPaused: true);
        };
        var another = new LiveBackupStart(connection, domain, found, request, place, static _ => null, NullLogger.Instance);
        Assert.Throws<LibvirtException>(another.Begin);
        Assert.Equal(0, place.Tries);
    }

    /// <summary>One where nothing can be served.</summary>
    private sealed class Place(string folder) : BackupPlace
    {
        public int Tries { get; set; }

        public Action Before { get; set; } = static () => { };

        public override BackupServer Server
        {
            get
            {
                Before();
                return new UnixBackupServer(Path.Combine(folder, "nowhere", "socket"));
            }
        }

        public override bool TryNext(LibvirtException refusal)
        {
            Tries++;
            return false;
        }

        public override void Dispose()
        {
        }
    }
}
