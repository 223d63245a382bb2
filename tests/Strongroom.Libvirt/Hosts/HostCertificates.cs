using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Strongroom.Libvirt.Hosts;

/// <summary>
/// A certificate authority of a host's own, a certificate of the host (127.0.0.1 and localhost) and one of its clients, under
/// the names that libvirt and QEMU expect.
/// </summary>
/// <param name="Root">A folder that both can read.</param>
internal sealed record HostCertificates(string Root)
{
    /// <summary>For libvirt: cacert.pem, servercert.pem, serverkey.pem, clientcert.pem, clientkey.pem. What pkipath of a client's URI names.</summary>
    public string OfLibvirt => Path.Combine(Root, "libvirt");

    /// <summary>For QEMU and clients of its NBD server: ca-cert.pem, server-cert.pem, server-key.pem, client-cert.pem, client-key.pem.</summary>
    public string OfQemu => Path.Combine(Root, "qemu");

    public void Create()
    {
        Directory.CreateDirectory(OfLibvirt);
        Directory.CreateDirectory(OfQemu);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = TimeProvider.System.GetUtcNow();
        var (from, until) = (now.AddDays(-1), now.AddDays(7));
        using var authority = request.CreateSelfSigned(from, until);
        File.WriteAllText(Path.Combine(OfLibvirt, "cacert.pem"), authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(OfQemu, "ca-cert.pem"), authority.ExportCertificatePem());
        Issue(authority, "server", "1.3.6.1.5.5.7.3.1", from, until);
        Issue(authority, "client", "1.3.6.1.5.5.7.3.2", from, until);
    }

    private void Issue(X509Certificate2 authority, string name, string purpose, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, 0, critical: true));
        // libvirt wants the encipherment, which elliptic curves have no use for.
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(purpose)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        using var certificate = request.Create(authority, from, until, RandomNumberGenerator.GetBytes(8));
        var (certificatePem, keyPem) = (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(OfLibvirt, $"{name}cert.pem"), certificatePem);
        File.WriteAllText(Path.Combine(OfLibvirt, $"{name}key.pem"), keyPem);
        File.WriteAllText(Path.Combine(OfQemu, $"{name}-cert.pem"), certificatePem);
        File.WriteAllText(Path.Combine(OfQemu, $"{name}-key.pem"), keyPem);
    }
}
