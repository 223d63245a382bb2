using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Strongroom.Blocks.Nbd;

/// <summary>Where an NBD server listens, and whether it is spoken to in TLS.</summary>
public sealed record NbdAddress
{
    /// <summary>The port that IANA gave to NBD.</summary>
    public const int DefaultPort = 10809;

    private const int LongestPathBytes = 107; // sun_path of unix(7), without its final zero

    private NbdAddress(EndPoint endPoint, string? hostName, string text)
    {
        EndPoint = endPoint;
        HostName = hostName;
        Text = text;
    }

    /// <summary>How to speak TLS; null speaks in the clear. With it, a server that will not or cannot speak TLS is an error.</summary>
    public NbdTlsOptions? Tls { get; init; }

    internal EndPoint EndPoint { get; }

    /// <summary>The name the server was addressed by; null for a Unix socket.</summary>
    internal string? HostName { get; }

    private string Text { get; }

    /// <exception cref="IOException">The path is longer than the system allows.</exception>
    public static NbdAddress Unix(string path) => Encoding.UTF8.GetByteCount(path) <= LongestPathBytes
        ? new NbdAddress(new UnixDomainSocketEndPoint(path), hostName: null, path)
        : throw new IOException($"The socket's path '{path}' is longer than the {LongestPathBytes} bytes that the system allows.");

    /// <param name="host">A name or an IP address.</param>
    public static NbdAddress Tcp(string host, int port = DefaultPort) => new(
        IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port),
        host,
        host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}");

    public override string ToString() => Text;
}
