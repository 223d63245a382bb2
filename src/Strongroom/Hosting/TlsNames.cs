using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Strongroom.Hosting;

/// <summary>The names and addresses under which clients reach the server, as its certificate lists them (RFC 5280 section 4.2.1.6).</summary>
internal sealed class TlsNames
{
    private TlsNames(IReadOnlySet<string> hosts, IReadOnlySet<IPAddress> addresses)
    {
        Hosts = hosts;
        Addresses = addresses;
    }

    /// <summary>DNS names, in lower case and ASCII.</summary>
    public IReadOnlySet<string> Hosts { get; }

    public IReadOnlySet<IPAddress> Addresses { get; }

    /// <summary>What every server is called, and what the operator adds.</summary>
    /// <exception cref="ArgumentException">An added name is neither a DNS name nor an IP address; the message names it.</exception>
    public static TlsNames Of(string machineName, IEnumerable<string> added)
    {
        var hosts = new SortedSet<string>(StringComparer.Ordinal) { "localhost" };
        var addresses = new HashSet<IPAddress> { IPAddress.Loopback, IPAddress.IPv6Loopback };

        // A machine may be called something that no certificate can say; nobody asked for it, so it is no error.
        if (Host(machineName) is { } machine)
            hosts.Add(machine);

        foreach (var name in added)
        {
            if (IPAddress.TryParse(name.Trim('[', ']'), out var address))
                addresses.Add(address);
            else if (Host(name) is { } host)
                hosts.Add(host);
            else
                throw new ArgumentException($"'{name}' is neither a DNS name nor an IP address, so no certificate can be made for it.");
        }

        return new TlsNames(hosts, addresses);
    }

    public X509Extension ToExtension()
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in Hosts)
            names.AddDnsName(host);
        foreach (var address in Addresses.OrderBy(address => address.AddressFamily != AddressFamily.InterNetwork).ThenBy(address => address.ToString(), StringComparer.Ordinal))
            names.AddIpAddress(address);
        return names.Build();
    }

    /// <summary>Whether a certificate lists exactly these names.</summary>
    public bool AreThoseOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault() is { } listed
        && Hosts.SetEquals(listed.EnumerateDnsNames())
        && Addresses.SetEquals(listed.EnumerateIPAddresses());

    private static string? Host(string name)
    {
        var rest = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
        string ascii;
        try
        {
            ascii = new IdnMapping { UseStd3AsciiRules = true }.GetAscii(rest).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return null;
        }

        return Uri.CheckHostName(ascii) == UriHostNameType.Dns ? name[..^rest.Length] + ascii : null;
    }
}
