using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>Connections to hosts, opened when they are needed, kept, and opened again when they have broken.</summary>
/// <remarks>
/// <para>Thread-safe. Whoever was given a connection that breaks gets libvirt's error from its calls, half a minute after the host was last heard of at the latest.</para>
/// <para>A connection is one caller's at a time, though libvirt allows for more: the client library of libvirt 9.0 wakes one thread for another in a way that
/// hangs, or ends the process, when a connection dies under both. One that nobody has used for a while is closed: its host may be gone from the server, or its login
/// changed.</para>
/// </remarks>
internal sealed class LibvirtConnections : IDisposable
{
    /// <summary>How long the end of connections is waited for when the server ends.</summary>
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);

    private readonly ILibvirtHosts _hosts;
    private readonly ConnectionLimits _limits;
    private readonly Timer _trimming;
    private readonly Dictionary<(string Id, string Uri, string? Credentials), List<Idle>> _idle = [];
    private readonly Dictionary<(string Id, string Uri, string? Credentials), Opening> _opening = [];
    private readonly Lock _gate = new();
    private bool _isDisposed;

    public LibvirtConnections(ILibvirtHosts hosts, ConnectionLimits limits)
    {
        _hosts = hosts;
        _limits = limits;
        _trimming = new(_ => Trim(), null, limits.Idle / 2, limits.Idle / 2);
    }

    /// <summary>How many connections are kept that nobody uses now.</summary>
    public int IdleCount
    {
        get
        {
            lock (_gate) return _idle.Values.Sum(connections => connections.Count);
        }
    }

    /// <summary>Does something on a host, on a thread of its own: libvirt answers when it does.</summary>
    /// <exception cref="MachineException">The host cannot be reached, or libvirt refuses.</exception>
    public async Task<T> UseAsync<T>(LibvirtHost host, Func<LibvirtConnection, T> work, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await TakeAsync(host, cancellationToken);
            var call = OnOwnThread(() =>
            {
                try
                {
                    return work(connection);
                }
                finally
                {
                    Keep(host, connection);
                }
            });
            return await WhileAliveAsync(host, connection, call);
        }
        catch (LibvirtException exception)
        {
            throw Explain(host, exception);
        }
        catch (DllNotFoundException exception)
        {
            throw new MachineException(MachineProblem.ToolMissing, "libvirt's client library (Debian package libvirt0) is not installed on the server.", exception);
        }
    }

    /// <inheritdoc cref="UseAsync{T}"/>
    public Task UseAsync(LibvirtHost host, Action<LibvirtConnection> work, CancellationToken cancellationToken) =>
        UseAsync(host, connection => { work(connection); return 0; }, cancellationToken);

    /// <summary>What an error of libvirt's means to the owner of a machine.</summary>
    public static MachineException Explain(LibvirtHost host, LibvirtException exception) =>
        new(exception.IsOfConnection ? MachineProblem.HostUnreachable : MachineProblem.HostFailed, $"Host '{host.Name}': {exception.Message}", exception);

    public void Dispose()
    {
        _trimming.Dispose();
        Task[] closing;
        lock (_gate)
        {
            _isDisposed = true;
            closing = [.. _idle.Values.SelectMany(connections => connections).Select(idle => CloseAsync(idle.Connection))];
            _idle.Clear();
        }

        // A host that stands still does not keep the server from its end.
        Task.WaitAll(closing, CloseLimit);
    }

    /// <summary>Who logs in to a host, or null.</summary>
    /// <exception cref="MachineException">The host names a login that the server does not have.</exception>
    public LibvirtLogin? LoginOf(LibvirtHost host)
    {
        if (host.Credentials is not { } name) return null;
        return _hosts.FindLogin(name) is var (user, password)
            ? new(user, password)
            : throw new MachineException(MachineProblem.HostUnreachable, $"Host '{host.Name}': the server has no credentials named '{name}'.");
    }

    private static Task<T> OnOwnThread<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>A call that should have ended with its connection, and has not, is left to itself.</summary>
    private async Task<T> WhileAliveAsync<T>(LibvirtHost host, LibvirtConnection connection, Task<T> call)
    {
        for (var looksDead = 0; await Task.WhenAny(call, Task.Delay(_limits.Look, CancellationToken.None)) != call;)
        {
            if (!connection.IsAlive && ++looksDead > _limits.LooksDead) throw Silent(host, null);
        }

        return await call;
    }

    private async Task<LibvirtConnection> TakeAsync(LibvirtHost host, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task opening;
            lock (_gate)
            {
                if (FindIdle(host) is { } connection) return connection;
                opening = Open(host);
            }

            try
            {
                // Another may take what was opened.
                await opening.WaitAsync(_limits.Opening, cancellationToken);
            }
            catch (TimeoutException exception)
            {
                throw Silent(host, exception);
            }
        }
    }

    private LibvirtConnection? FindIdle(LibvirtHost host)
    {
        if (!_idle.TryGetValue(Key(host), out var connections)) return null;
        // The last one first, so that what is not needed grows old.
        while (connections.Count > 0)
        {
            var connection = connections[^1].Connection;
            connections.RemoveAt(connections.Count - 1);
            if (connection.IsAlive) return connection;
            connection.Dispose();
        }

        return null;
    }

    private void Trim()
    {
        lock (_gate)
        {
            foreach (var (key, connections) in _idle.ToList())
            {
                var old = connections.Where(idle => Environment.TickCount64 - idle.Since >= _limits.Idle.TotalMilliseconds).ToHashSet();
                foreach (var idle in old) _ = CloseAsync(idle.Connection);
                connections.RemoveAll(old.Contains);
                if (connections.Count == 0) _idle.Remove(key);
            }
        }
    }

    /// <summary>On a thread of its own: closing is a question to the host, too.</summary>
    private static Task CloseAsync(LibvirtConnection connection) => OnOwnThread(() =>
    {
        connection.Dispose();
        return true;
    });

    private void Keep(LibvirtHost host, LibvirtConnection connection)
    {
        lock (_gate)
        {
            if (_isDisposed || !connection.IsAlive)
            {
                connection.Dispose();
                return;
            }

            if (!_idle.TryGetValue(Key(host), out var connections)) _idle[Key(host)] = connections = [];
            connections.Add(new(connection, Environment.TickCount64));
        }
    }

    /// <summary>All who want a host wait for one try. libvirt waits for a host that takes the connection and says nothing for ever: after a while another try is made beside it.</summary>
    private Task Open(LibvirtHost host)
    {
        var before = _opening.GetValueOrDefault(Key(host));
        var hangs = before is { Task.IsCompleted: false };
        if (hangs && Environment.TickCount64 - before!.StartedAt < _limits.Hanging(before.Hanging).TotalMilliseconds) return before.Task;
        var task = OnOwnThread(() =>
        {
            Keep(host, OwnSocket.Require(host, LibvirtConnection.Open(host.Uri, LoginOf(host), _limits.KeepAliveSeconds, _limits.KeepAliveCount)));
            return true;
        });
        _opening[Key(host)] = new(task, Environment.TickCount64, hangs ? before!.Hanging + 1 : 0);
        return task;
    }

    private static MachineException Silent(LibvirtHost host, Exception? cause) => new(MachineProblem.HostUnreachable, $"Host '{host.Name}' does not answer.", cause);

    /// <summary>A host whose resource is changed is another host.</summary>
    private static (string Id, string Uri, string? Credentials) Key(LibvirtHost host) => (host.Id, host.Uri, host.Credentials);

    /// <param name="Since">In milliseconds, of <see cref="Environment.TickCount64"/>.</param>
    private sealed record Idle(LibvirtConnection Connection, long Since);

    /// <param name="StartedAt">In milliseconds, of <see cref="Environment.TickCount64"/>.</param>
    /// <param name="Hanging">Tries before it that have not ended.</param>
    private sealed record Opening(Task Task, long StartedAt, int Hanging);
}

/// <summary>How long hosts may keep silent.</summary>
internal sealed record ConnectionLimits
{
    /// <summary>How long anybody waits for a connection to be opened.</summary>
    public TimeSpan Opening { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>When a try to open one is taken for hanging. The double after each that hangs, up to an hour: each keeps a thread.</summary>
    public TimeSpan FirstHanging { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often a host that keeps silent is asked whether it is there.</summary>
    public int KeepAliveSeconds { get; init; } = 5;

    /// <summary>After how many questions without an answer it is gone.</summary>
    public int KeepAliveCount { get; init; } = 6;

    /// <summary>How long a connection is kept that nobody uses.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How often a connection with a call under way is looked at.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>In how many looks a connection may be dead before its call, which should have ended, is given up.</summary>
    public int LooksDead { get; init; } = 3;

    /// <param name="tries">That hang already.</param>
    public TimeSpan Hanging(int tries) => TimeSpan.FromTicks(Math.Min(FirstHanging.Ticks << Math.Min(tries, 10), TimeSpan.TicksPerHour));
}
