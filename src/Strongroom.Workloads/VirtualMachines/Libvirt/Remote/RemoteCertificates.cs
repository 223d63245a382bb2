using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Strongroom.Backup.Machines;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Remote;

/// <summary>The files of a TLS client, PEM.</summary>
/// <param name="Authorities">Who may have signed the host's certificate.</param>
/// <param name="Certificate">The client's own.</param>
/// <param name="Key">Of <paramref name="Certificate"/>.</param>
internal sealed record TlsFiles(string Authorities, string Certificate, string Key)
{
    public static TlsFiles OfSystem { get; } = new("/etc/pki/CA/cacert.pem", "/etc/pki/libvirt/clientcert.pem", "/etc/pki/libvirt/private/clientkey.pem");

    public static TlsFiles In(string folder) => new(Path.Combine(folder, "cacert.pem"), Path.Combine(folder, "clientcert.pem"), Path.Combine(folder, "clientkey.pem"));
}

/// <summary>Who the server is to QEMU on other machines: the certificates that libvirt's own client uses, found where it finds them (https://libvirt.org/kbase/tlscerts.html).</summary>
internal static class RemoteCertificates
{
    /// <exception cref="MachineException">A file is missing or cannot be used: disks do not travel in the clear.</exception>
    public static NbdTlsOptions Load(LibvirtHost host) => Load(host, Places(host.Uri));

    /// <param name="places">The first that has a file wins; a certificate and its key come from one place.</param>
    /// <inheritdoc cref="Load(LibvirtHost)"/>
    public static NbdTlsOptions Load(LibvirtHost host, IReadOnlyList<TlsFiles> places)
    {
        var authorities = places.FirstOrDefault(place => File.Exists(place.Authorities));
        var own = places.FirstOrDefault(place => File.Exists(place.Certificate) && File.Exists(place.Key));
        if (authorities is null || own is null)
        {
            var last = places[^1];
            string[] missing = [.. new[] { last.Authorities, last.Certificate, last.Key }.Where(file => !File.Exists(file))];
            throw new MachineException(MachineProblem.HostFailed,
                $"Host '{host.Name}' is another machine, whose disks are read over TLS only, and the server lacks its certificates: there is no {string.Join(", no ", missing.Select(file => $"'{file}'"))}.");
        }

        try
        {
            var trusted = new X509Certificate2Collection();
            trusted.ImportFromPemFile(authorities.Authorities);
            return new() { Authorities = [.. trusted], Certificate = X509Certificate2.CreateFromPemFile(own.Certificate, own.Key) };
        }
        catch (Exception exception) when (exception is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new MachineException(MachineProblem.HostFailed, $"Host '{host.Name}': the server's TLS certificates ('{authorities.Authorities}', '{own.Certificate}', '{own.Key}') cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>The folder that the URI names, and nothing else; without it the user's own where that is not root, then the system's.</summary>
    public static IReadOnlyList<TlsFiles> Places(string uri)
    {
        if (Parameter(uri, "pkipath") is { Length: > 0 } folder) return [TlsFiles.In(folder)];
        return Environment.IsPrivilegedProcess
            ? [TlsFiles.OfSystem]
            : [TlsFiles.In(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pki", "libvirt")), TlsFiles.OfSystem];
    }

    private static string? Parameter(string uri, string name)
    {
        var query = uri.Split('?', 2) is [_, var text] ? text : "";
        return query.Split('&', ';').Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2 && pair[0] == name).Select(pair => Uri.UnescapeDataString(pair[1])).FirstOrDefault();
    }
}
