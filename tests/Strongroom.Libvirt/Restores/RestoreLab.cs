using System.Xml.Linq;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Machines;
using Strongroom.Libvirt.Hosts;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;

namespace Strongroom.Libvirt.Restores;

/// <summary>A libvirtd with a storage pool, as a host that machines are restored onto.</summary>
internal sealed class RestoreLab : ILibvirtHosts, IAsyncDisposable
{
    public const string Group = "hosts", Pool = "vms";
    private const string Subscription = "11111111-1111-1111-1111-111111111111", Location = "westeurope";

    private readonly TempFolder _folder = new();

    private RestoreLab(Libvirtd libvirtd)
    {
        Libvirtd = libvirtd;
        Host = new($"/subscriptions/{Subscription}/resourceGroups/{Group}/providers/Strongroom.Fabric/hosts/one", Subscription, Group, Location, libvirtd.Uri, Pool, libvirtd.Folders.Scratch);
        Fabric = new(this, new(), TimeProvider.System, NullLogger<LibvirtFabric>.Instance);
    }

    public Libvirtd Libvirtd { get; }

    public LibvirtHost Host { get; set; }

    /// <summary>Of the server that restores onto it.</summary>
    public Guid ServerId { get; set; } = Guid.Parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

    public LibvirtFabric Fabric { get; }

    /// <summary>Names of volumes that stored resources of disks have.</summary>
    public HashSet<string> Known { get; } = new(StringComparer.Ordinal);

    /// <summary>The pool's folder.</summary>
    public string Disks => Libvirtd.Folders.Disks;

    /// <summary>Files that the server has not sent yet.</summary>
    public string[] Staged => Directory.Exists(_folder.Combine("staging")) ? Directory.GetFiles(_folder.Combine("staging")) : [];

    /// <summary>A restorer as a server has it after its start.</summary>
    public LibvirtRestorer NewRestorer() => new(this, Fabric, _folder.Combine("staging"), ServerId, TimeProvider.System, NullLogger<LibvirtRestorer>.Instance);

    /// <param name="isRemote">The server reaches it as another machine, by TLS.</param>
    public static async Task<RestoreLab> StartAsync(CancellationToken cancellationToken, bool isRemote = false)
    {
        var lab = new RestoreLab(await Libvirtd.StartAsync(cancellationToken, listensForTls: isRemote));
        if (isRemote) lab.Host = lab.Host with { Uri = lab.Libvirtd.TlsUri };
        await lab.AddPoolAsync(Pool, lab.Disks, cancellationToken);
        return lab;
    }

    public async Task AddPoolAsync(string name, string folder, CancellationToken cancellationToken)
    {
        await VirshAsync(cancellationToken, "pool-define-as", name, "dir", "--target", folder);
        await VirshAsync(cancellationToken, "pool-start", name);
    }

    /// <summary>What virsh says on its standard output.</summary>
    public async Task<string> VirshAsync(CancellationToken cancellationToken, params string[] arguments) =>
        (await Libvirtd.VirshAsync(arguments, cancellationToken)).Succeeded().StandardOutput.Trim();

    /// <summary>A domain's description as it will be at its next start.</summary>
    public async Task<XElement> DescribeAsync(string name, CancellationToken cancellationToken) => XElement.Parse(await VirshAsync(cancellationToken, "dumpxml", name, "--inactive", "--security-info"));

    /// <summary>A machine as a recovery point has it.</summary>
    public async Task<VirtualMachine> BackedUpAsync(string name, CancellationToken cancellationToken) =>
        (await Fabric.FindAsync(Subscription, Group, name, cancellationToken))! with { Definition = (await DescribeAsync(name, cancellationToken)).ToString() };

    public static NewMachine Wanted(VirtualMachine source, string name, HostRun run) => new(source, Subscription, Group, name, run.JobId, null, null);

    /// <summary>Disks of a machine that the lab's host is to have.</summary>
    public static NewDisks WantedDisks(VirtualMachine source, string group = Group) => new(source, Subscription, group);

    public Task SweepAsync(CancellationToken cancellationToken) => NewRestorer().SweepAsync(Subscription, cancellationToken);

    /// <summary>Does something by libvirt's own interface.</summary>
    public Task<T> UseAsync<T>(Func<LibvirtConnection, T> work, CancellationToken cancellationToken) => Fabric.Connections.UseAsync(Host, work, cancellationToken);

    /// <summary>The names of the files in the pool's folder.</summary>
    public string[] Files() => [.. Directory.GetFiles(Disks).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    Task<IReadOnlyList<LibvirtHost>> ILibvirtHosts.ListAsync(string subscriptionId, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<LibvirtHost>>([Host]);

    Task<IReadOnlySet<string>> ILibvirtHosts.ListVolumesAsync(LibvirtHost host, CancellationToken cancellationToken) => Task.FromResult<IReadOnlySet<string>>(Known);

    (string UserName, string Password)? ILibvirtHosts.FindLogin(string name) => null;

    public async ValueTask DisposeAsync()
    {
        Fabric.Dispose();
        await Libvirtd.DisposeAsync();
        _folder.Dispose();
    }
}
