using System.Net;
using System.Net.Sockets;
using Strongroom.Backup.Machines;
using Strongroom.Workloads.VirtualMachines.Libvirt.Native;

namespace Strongroom.Workloads.VirtualMachines.Libvirt;

/// <summary>
/// Finds out whether the socket that a URI names is that of this machine's libvirt. It may be the end of a tunnel: then paths of the host's disks would be taken for
/// paths of this machine, and another machine's disks be backed up.
/// </summary>
internal static class OwnSocket
{
    /// <summary>Passes on a connection to this machine.</summary>
    /// <exception cref="MachineException">It leads to another machine; it is closed.</exception>
    /// <exception cref="LibvirtException">The host does not tell; it is closed.</exception>
    public static LibvirtConnection Require(LibvirtHost host, LibvirtConnection connection)
    {
        try
        {
            if (!host.HasOwnSocket || connection.HostName is not { } name || IsThisMachine(name)) return connection;
            throw new MachineException(MachineProblem.HostUnreachable, $"Host '{host.Name}': its socket leads to another machine, '{name}', which has to be named in the URI (qemu+ssh, qemu+tls).");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <param name="name">As libvirt has it: the machine's name, or what that resolves to.</param>
    internal static bool IsThisMachine(string name) => IsSame(name, Environment.MachineName) || IsSame(name, ResolvedName());

    private static bool IsSame(string one, string other) => one.Split('.')[0].Equals(other.Split('.')[0], StringComparison.OrdinalIgnoreCase);

    private static string ResolvedName()
    {
        try
        {
            return Dns.GetHostEntry(Environment.MachineName).HostName;
        }
        catch (SocketException)
        {
            return Environment.MachineName;
        }
    }
}
