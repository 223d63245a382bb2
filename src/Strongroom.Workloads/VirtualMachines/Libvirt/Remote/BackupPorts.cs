namespace Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

/// <summary>The TCP ports of remote hosts that machines' disks are served at while they are backed up.</summary>
/// <remarks>
/// Thread-safe. It knows what this server uses. What others use, and what a run of a dead server has left, is found out by QEMU, which cannot listen there.
/// A port is used again as late as possible.
/// </remarks>
/// <param name="ports">In the order in which each host's are used.</param>
internal sealed class BackupPorts(IReadOnlyList<int> ports)
{
    /// <summary>From NBD's own on: below the ports that systems give to outgoing connections, and beside those of libvirt's migrations and of screens.</summary>
    public const int First = 10809, Count = 64;

    private readonly Lock _gate = new();
    private readonly HashSet<(string Host, int Port)> _taken = [];
    private readonly Dictionary<string, int> _next = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All of them, from a random one on.</summary>
    public static BackupPorts Standard()
    {
        var start = Random.Shared.Next(Count);
        return new([.. Enumerable.Range(0, Count).Select(index => First + ((start + index) % Count))]);
    }

    /// <summary>How many there are.</summary>
    public int Total => ports.Count;

    /// <summary>A port of a host that no backup of this server uses; null: there is none.</summary>
    /// <param name="host">Its name or address.</param>
    public int? TryTake(string host)
    {
        lock (_gate)
        {
            var start = _next.GetValueOrDefault(host);
            for (var step = 0; step < ports.Count; step++)
            {
                var index = (start + step) % ports.Count;
                if (!_taken.Add(Key(host, ports[index]))) continue;
                _next[host] = (index + 1) % ports.Count;
                return ports[index];
            }

            return null;
        }
    }

    public void Release(string host, int port)
    {
        lock (_gate) _taken.Remove(Key(host, port));
    }

    private static (string Host, int Port) Key(string host, int port) => (host.ToUpperInvariant(), port);
}
