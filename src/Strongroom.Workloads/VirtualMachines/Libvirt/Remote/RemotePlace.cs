using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Strongroom.Backup.Machines;
using Strongroom.Blocks.Nbd;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

/// <summary>A port of a host that is another machine, in TLS.</summary>
/// <remarks>
/// QEMU listens at the address by which the server reaches the host, and nowhere else. A host that does not have this address itself (it is behind
/// a translation of addresses) listens at all of its own.
/// </remarks>
internal sealed class RemotePlace : BackupPlace
{
    private readonly LibvirtHost _host;
    private readonly BackupPorts _ports;
    private readonly NbdTlsOptions _tls;
    private readonly ImmutableArray<(string Listen, string Connect)> _addresses;
    private int _address;
    private int _port;
    private int _portsTried = 1;

    private RemotePlace(LibvirtHost host, BackupPorts ports, NbdTlsOptions tls, ImmutableArray<(string Listen, string Connect)> addresses)
    {
        _host = host;
        _ports = ports;
        _tls = tls;
        _addresses = addresses;
        _port = ports.TryTake(host.HostName) ?? throw NoPort();
    }

    public override BackupServer Server
    {
        get
        {
            var (listen, connect) = _addresses[_address];
            return new TlsBackupServer(listen, _port, NbdAddress.Tcp(connect, _port) with { Tls = _tls });
        }
    }

    /// <exception cref="MachineException">The server has no certificates for the host, the host's name means nothing here, or all ports are in use.</exception>
    public static async Task<RemotePlace> FindAsync(LibvirtHost host, BackupPorts ports, CancellationToken cancellationToken)
    {
        RequireName(host);
        var tls = RemoteCertificates.Load(host) with { HostName = host.HostName };
        return new(host, ports, tls, Candidates(await ResolveAsync(host, cancellationToken)));
    }

    /// <exception cref="MachineException">The URI names no host. To the resolver that would be this machine.</exception>
    internal static void RequireName(LibvirtHost host)
    {
        if (host.HostName.Length == 0) throw Unknown(host, null);
    }

    /// <inheritdoc/>
    /// <exception cref="MachineException">All ports are in use, or QEMU cannot serve in TLS at all.</exception>
    public override bool TryNext(LibvirtException refusal)
    {
        // QEMU's words, of the C library's strerror.
        if (Says("Cannot assign requested address") && _address + 1 < _addresses.Length)
        {
            _address++;
            return true;
        }

        if (Says("Address already in use"))
        {
            TakeNextPort();
            return true;
        }

        // The checkpoints have no part in it, and are not given up for it.
        if (Says("'nbd-server-start'") || Says("'object-add'"))
            throw new MachineException(MachineProblem.HostFailed, $"Host '{_host.Name}': QEMU does not serve the disks at {Server.Address}: {refusal.Message}.", refusal);
        return false;

        bool Says(string text) => refusal.Message.Contains(text, StringComparison.Ordinal);
    }

    public override void Dispose()
    {
        if (_port != 0) _ports.Release(_host.HostName, _port);
        _port = 0;
    }

    private void TakeNextPort()
    {
        if (_portsTried++ == _ports.Total) throw NoPort();
        var taken = _port;
        _port = 0;
        // The next one first: else it could be the same.
        var next = _ports.TryTake(_host.HostName);
        _ports.Release(_host.HostName, taken);
        _port = next ?? throw NoPort();
    }

    private static async Task<IPAddress[]> ResolveAsync(LibvirtHost host, CancellationToken cancellationToken)
    {
        try
        {
            if (await Dns.GetHostAddressesAsync(host.HostName, cancellationToken) is { Length: > 0 } addresses) return addresses;
        }
        catch (SocketException exception)
        {
            throw Unknown(host, exception);
        }

        throw Unknown(host, null);
    }

    private static MachineException Unknown(LibvirtHost host, SocketException? cause) => new(MachineProblem.HostUnreachable,
        $"Host '{host.Name}': the name '{host.HostName}' of its URI means no address to the server. Disks are read over a connection of their own, which needs one, also where ssh knows the name by its own settings.", cause);

    private static ImmutableArray<(string Listen, string Connect)> Candidates(IPAddress[] addresses)
    {
        var any = addresses[0].AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
        return [.. addresses.Select(address => (address.ToString(), address.ToString())), (any.ToString(), addresses[0].ToString())];
    }

    private MachineException NoPort() =>
        new(MachineProblem.HostFailed, $"Host '{_host.Name}': none of the {_ports.Total} TCP ports that the disks of running machines are served at is free.");
}
