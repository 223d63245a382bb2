using System.Globalization;
using System.Xml.Linq;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>An NBD server that QEMU is to be for one backup (the <c>server</c> element of a <c>domainbackup</c>).</summary>
/// <param name="Address">How it is reached from here.</param>
internal abstract record BackupServer(NbdAddress Address)
{
    public abstract XElement ToXml();
}

/// <summary>One on a Unix socket, of a host that is this machine.</summary>
internal sealed record UnixBackupServer(string Socket) : BackupServer(NbdAddress.Unix(Socket))
{
    public override XElement ToXml() => new("server", new XAttribute("transport", "unix"), new XAttribute("socket", Socket));
}

/// <summary>One on a TCP port, with TLS.</summary>
/// <param name="ListenAddress">Of the host, as QEMU has to see it.</param>
internal sealed record TlsBackupServer(string ListenAddress, int Port, NbdAddress Address) : BackupServer(Address)
{
    public override XElement ToXml() => new("server",
        new XAttribute("transport", "tcp"), new XAttribute("tls", "yes"), new XAttribute("name", ListenAddress), new XAttribute("port", Port.ToString(CultureInfo.InvariantCulture)));
}
