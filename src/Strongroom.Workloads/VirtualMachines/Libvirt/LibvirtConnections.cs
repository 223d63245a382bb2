using System.Collections.Concurrent;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>One connection to each host, opened when it is needed and again when it has broken.</summary>
/// <remarks>Thread-safe. Whoever was given a connection that breaks gets libvirt's error from its calls.</remarks>
internal sealed class LibvirtConnections(ILibvirtHosts hosts) : IDisposable
{
    // A connection that has broken is not closed here: calls of others may be under way. The library closes it when they are over.
    private readonly ConcurrentDictionary<string, LibvirtConnection> _open = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lock> _opening = new(StringComparer.Ordinal);

    /// <summary>Does something on a host, on a thread of its own: libvirt answers when it does.</summary>
    /// <exception cref="MachineException">The host cannot be reached, or libvirt refuses.</exception>
    public Task<T> UseAsync<T>(LibvirtHost host, Func<LibvirtConnection, T> work, CancellationToken cancellationToken) => Task.Factory.StartNew(() =>
    {
        try
        {
            return work(Get(host));
        }
        catch (LibvirtException exception)
        {
            throw Explain(host, exception);
        }
    }, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc cref="UseAsync{T}"/>
    public Task UseAsync(LibvirtHost host, Action<LibvirtConnection> work, CancellationToken cancellationToken) =>
        UseAsync(host, connection => { work(connection); return 0; }, cancellationToken);

    /// <summary>What an error of libvirt's means to the owner of a machine.</summary>
    public static MachineException Explain(LibvirtHost host, LibvirtException exception) =>
        new(exception.IsOfConnection ? MachineProblem.HostUnreachable : MachineProblem.HostFailed, $"Host '{host.Name}': {exception.Message}", exception);

    public void Dispose()
    {
        foreach (var connection in _open.Values) connection.Dispose();
        _open.Clear();
    }

    private LibvirtConnection Get(LibvirtHost host)
    {
        if (_open.TryGetValue(host.Id, out var there) && there.IsAlive) return there;
        lock (_opening.GetOrAdd(host.Id, static _ => new()))
        {
            if (_open.TryGetValue(host.Id, out there) && there.IsAlive) return there;
            try
            {
                return _open[host.Id] = LibvirtConnection.Open(host.Uri, LoginOf(host));
            }
            catch (DllNotFoundException exception)
            {
                throw new MachineException(MachineProblem.ToolMissing, "libvirt's client library (Debian package libvirt0) is not installed on the server.", exception);
            }
        }
    }

    /// <summary>Who logs in to a host, or null.</summary>
    /// <exception cref="MachineException">The host names a login that the server does not have.</exception>
    public LibvirtLogin? LoginOf(LibvirtHost host)
    {
        if (host.Credentials is not { } name) return null;
        return hosts.FindLogin(name) is var (user, password)
            ? new(user, password)
            : throw new MachineException(MachineProblem.HostUnreachable, $"Host '{host.Name}': the server has no credentials named '{name}'.");
    }
}
