using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Strongroom.Blocks;
using Strongroom.Blocks.Iscsi;

namespace Strongroom.Backup.FileRecovery;

/// <summary>The iSCSI server of the mounts; it listens from the first mount on, or from <see cref="StartAsync"/> on.</summary>
public sealed class RecoveryTargets(FileRecoveryOptions options, ILogger<RecoveryTargets> log) : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1);
    private IscsiServer? _server;

    /// <summary>Where it listens; null before it does.</summary>
    public IPEndPoint? EndPoint => _server?.EndPoint;

    /// <exception cref="IOException">The address cannot be listened on, or the folder of the overlays cannot be made.</exception>
    public async Task<IPEndPoint> StartAsync(CancellationToken cancellationToken) => (await ServerAsync(cancellationToken)).EndPoint;

    /// <summary>Shows disks, which are the caller's and used until <see cref="RemoveAsync"/> returns.</summary>
    /// <exception cref="IOException">As <see cref="StartAsync"/>.</exception>
    public async Task AddAsync(FileRecoveryMount mount, IReadOnlyList<IBlockSource> disks, CancellationToken cancellationToken)
    {
        var server = await ServerAsync(cancellationToken);
        var luns = disks.Zip(mount.Disks, (disk, shown) => new IscsiLun(shown.Number, disk, shown.Serial)).ToArray();
        // Its time is looked at by the clock that testers move, which timers of connections do not run by: so by FileRecoveryMounts.
        server.AddTarget(new(mount.TargetName, new(mount.Secrets.UserName, mount.Secrets.Password), luns)
        {
            Self = new(mount.Secrets.TargetName, mount.Secrets.TargetPassword),
            InitiatorName = mount.Request.InitiatorName,
        });
    }

    /// <summary>Ends the mount's sessions; no login succeeds any more, and nobody uses its disks when it returns.</summary>
    public async Task RemoveAsync(FileRecoveryMount mount)
    {
        if (_server is { } server) await server.RemoveTargetAsync(mount.TargetName);
    }

    /// <summary>A connection to the targets, for what comes through a tunnel.</summary>
    /// <exception cref="IOException">Nobody listens.</exception>
    public async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        var listening = await StartAsync(cancellationToken);
        var address = listening.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : listening.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : listening.Address;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, listening.Port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new IOException($"The targets cannot be reached: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is { } server) await server.DisposeAsync();
        _starting.Dispose();
    }

    private async Task<IscsiServer> ServerAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_server is null)
            {
                _server = Start();
                log.LogInformation("Recovery points are shown over iSCSI on {EndPoint}", _server.EndPoint);
            }

            return _server;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Who comes through the tunnel comes from loopback; the tunnel has said who that is.</summary>
    private void Tell(IscsiLogin login)
    {
        if (login.Refusal is null) log.LogInformation("Initiator '{Initiator}' from {From} has logged in to {Target}", login.InitiatorName, login.From, login.TargetName ?? "the discovery");
        else log.LogWarning("Initiator '{Initiator}' from {From} was refused at {Target}: {Why}", login.InitiatorName, login.From, login.TargetName ?? "the discovery", login.Refusal);
    }

    private IscsiServer Start()
    {
        var standard = new IscsiServerOptions
        {
            Listen = options.Listen ?? new(IPAddress.Loopback, FileRecoveryOptions.StandardPort),
            TargetAddress = options.TargetAddress,
            OverlayFolder = options.OverlayFolder,
            // Each target has a limit of its own; no mount shall take the places of another.
            Connections = 16 * options.MaxMounts,
            OnLogin = Tell,
            OnFailure = failure => log.LogWarning(failure, "A disk of a recovery point could not be read, or what was written to it could not be kept"),
        };
        try { return IscsiServer.Start(standard); }
        catch (IOException) when (options.Listen is null)
        {
            // Somebody else serves iSCSI on this machine. Nobody asked for that port, and scripts do not come through it.
            return IscsiServer.Start(standard with { Listen = new(IPAddress.Loopback, 0) });
        }
    }
}
