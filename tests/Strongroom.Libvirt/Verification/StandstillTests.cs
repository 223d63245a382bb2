using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

namespace Strongroom.Libvirt.Verification;

/// <summary>Machines and hosts that say nothing, such as one that takes the connection and no more.</summary>
public sealed class StandstillTests : ILibvirtHosts, IDisposable
{
    private readonly TempFolder _folder = new();

    private LibvirtHost Host => new("/hosts/kvm1", "s", "lab", "home", $"qemu+unix:///system?socket={_folder.Combine("libvirt")}", "default", _folder.Path);

    [Fact(Timeout = 1_800_000)]
    public async Task A_host_that_stands_still_does_not_keep_a_verification_from_its_end()
    {
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        silent.Bind(new UnixDomainSocketEndPoint(_folder.Combine("libvirt")));
        silent.Listen();
        using var fabric = new LibvirtFabric(this, new() { Executable = "/nowhere" }, TimeProvider.System, NullLogger<LibvirtFabric>.Instance);
        var verifier = new LibvirtVerifier(this, fabric, _folder.Path, TimeProvider.System, NullLogger<LibvirtVerifier>.Instance);
        var machine = Machine("<domain/>");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var verifying = verifier.VerifyAsync(machine, [], new(TimeSpan.FromMinutes(1), "login:", null), new(Guid.NewGuid(), 1), limit.Token);
        // It is connected to.
        using var accepted = await silent.AcceptAsync(TestContext.Current.CancellationToken);
        await limit.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => verifying);
    }

    [Fact]
    public async Task A_machine_that_could_never_prove_itself_is_not_booted()
    {
        using var fabric = new LibvirtFabric(this, new() { Executable = "/nowhere" }, TimeProvider.System, NullLogger<LibvirtFabric>.Instance);
        var verifier = new LibvirtVerifier(this, fabric, _folder.Path, TimeProvider.System, NullLogger<LibvirtVerifier>.Instance);
        var mute = Machine($"<domain><name>web1</name><uuid>{Guid.NewGuid()}</uuid><devices/></domain>");

        var refused = await Assert.ThrowsAsync<MachineException>(() => verifier.VerifyAsync(mute, [], new(TimeSpan.FromMinutes(1), null, null), new(Guid.NewGuid(), 1), TestContext.Current.CancellationToken));

        Assert.Contains("consolePattern", refused.Message, StringComparison.Ordinal);
    }

    private VirtualMachine Machine(string definition) => new()
    {
        SubscriptionId = "s",
        ResourceGroup = "lab",
        Name = "web1",
        Location = "home",
        VmId = Guid.NewGuid(),
        HostId = Host.Id,
        Definition = definition,
        Disks = [],
    };

    public Task<IReadOnlyList<LibvirtHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<LibvirtHost>>([Host]);

    public Task<IReadOnlySet<string>> ListVolumesAsync(LibvirtHost host, CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<string>>(new HashSet<string>());

    public (string UserName, string Password)? FindLogin(string name) => null;

    public void Dispose() => _folder.Dispose();
}
