using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Strongroom.Blocks.Iscsi.Login;
using Strongroom.Blocks.Iscsi.Sessions;

namespace Strongroom.Blocks.Iscsi;

/// <summary>Serves disks over iSCSI (RFC 7143, SPC-4, SBC-3; docs/iscsi.md). Nobody gets in without CHAP. Safe from many threads.</summary>
/// <remarks>Targets come and go while it runs. What an initiator does wrong ends its own session and nothing else.</remarks>
public sealed class IscsiServer : IAsyncDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, TargetHost> _targets = new(StringComparer.Ordinal);
    private readonly IscsiServerOptions _options;
    private readonly ConnectionListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _adding = new();
    private readonly Task _sweeping;
    private int _lastHandle;
    private bool _isDisposed;

    private IscsiServer(Socket listener, IscsiServerOptions options)
    {
        _options = options;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        var host = new Host(this);
        _listener = new(listener, options.Connections, (client, stop) => new IscsiConnection(client, host).RunAsync(stop), options.OnFailure, options.Time);
        _listener.Start();
        _sweeping = SweepAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>The targets that are served, each with the number of its sessions.</summary>
    public IReadOnlyDictionary<string, int> Targets => _targets.ToDictionary(pair => pair.Key, pair => pair.Value.Sessions);

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">The address cannot be listened on, or the folder for overlays cannot be made.</exception>
    public static IscsiServer Start(IscsiServerOptions options)
    {
        Directory.CreateDirectory(options.OverlayFolder);
        var listener = new Socket(options.Listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(options.Listen);
            listener.Listen();
            return new(listener, options);
        }
        catch (SocketException failure)
        {
            listener.Dispose();
            throw new IOException($"Cannot listen on {options.Listen} for iSCSI: {failure.Message}", failure);
        }
    }

    /// <exception cref="ArgumentException">The target is not as it must be, or one of that name is there, or one whose initiators have the same name and another secret.</exception>
    public void AddTarget(IscsiTarget target)
    {
        target.Require();
        lock (_adding)
        {
            // Discovery knows a name only, and must not show who has one secret what another secret opens.
            if (_targets.Values.Any(other => other.Target.Initiator.UserName == target.Initiator.UserName && !other.Target.Initiator.Equals(target.Initiator)))
                throw new ArgumentException($"The CHAP name '{target.Initiator.UserName}' is used with another secret.");
            if (!_targets.TryAdd(target.Name, new(target, _options)))
                throw new ArgumentException($"There is a target '{target.Name}' already.");
        }
    }

    /// <summary>Takes a target away: no login succeeds any more, and its sessions end. When it returns, nobody uses its disks.</summary>
    /// <param name="grace">How long initiators have to log out by themselves once they are asked to; none ends their sessions at once.</param>
    /// <returns>False when there is none of that name.</returns>
    public async Task<bool> RemoveTargetAsync(string name, TimeSpan grace = default)
    {
        if (!_targets.TryRemove(name, out var host))
            return false;
        await host.EndAsync(grace).ConfigureAwait(false);
        await host.DisposeAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Takes all targets away and closes every connection; when it returns, nobody uses a disk any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sweeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var name in _targets.Keys)
            await RemoveTargetAsync(name).ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>Ends targets whose time has come, and throws away overlays that nobody came back for.</summary>
    private async Task SweepAsync()
    {
        using var timer = new PeriodicTimer(SweepInterval, _options.Time);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            foreach (var (name, host) in _targets)
            {
                try
                {
                    if (host.Target.EndsAt <= _options.Time.GetUtcNow())
                        await RemoveTargetAsync(name).ConfigureAwait(false);
                    else
                        await host.SweepAsync().ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is IOException or ObjectDisposedException)
                {
                    // The next round tries again, or somebody else has taken the target away meanwhile.
                    _options.OnFailure(failure);
                }
            }
        }
    }

    private sealed class Host(IscsiServer server) : IConnectionHost
    {
        public IscsiServerOptions Options => server._options;

        public bool HasTarget(string targetName) => server._targets.ContainsKey(targetName);

        public CredentialPair? Find(string? targetName, string userName)
        {
            var found = targetName is null
                ? server._targets.Values.FirstOrDefault(host => host.Target.Initiator.UserName == userName)
                : HostOf(targetName);
            return found?.Target is { } target && target.Initiator.UserName == userName ? new(target.Initiator, target.Self) : null;
        }

        public TargetHost? HostOf(string targetName) => server._targets.GetValueOrDefault(targetName);

        public IReadOnlyList<string> TargetsOf(string userName) =>
            [.. server._targets.Values.Where(host => host.Target.Initiator.UserName == userName).Select(host => host.Target.Name).Order(StringComparer.Ordinal)];

        public ushort NewSessionHandle()
        {
            while (true)
            {
                var handle = (ushort)Interlocked.Increment(ref server._lastHandle);
                if (handle != 0)
                    return handle;
            }
        }
    }
}
