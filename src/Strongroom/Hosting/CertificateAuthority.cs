using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Strongroom.Hosting;

/// <summary>
/// The server's own certificate authority, of one key that signs nothing but this server's certificate. Its certificate is
/// what clients are told to trust. Not thread-safe.
/// </summary>
internal sealed class CertificateAuthority : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(3650);

    // What clients accept of a private authority; Apple's limit is 825 days, browsers' is moving below it.
    private static readonly TimeSpan ServerLifetime = TimeSpan.FromDays(397);

    // Clients' clocks are not ours.
    private static readonly TimeSpan Backdating = TimeSpan.FromDays(1);

    private CertificateAuthority(X509Certificate2 certificate) => Certificate = certificate;

    /// <summary>The authority's certificate, with its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Reads an authority from its files.</summary>
    /// <exception cref="CryptographicException">The files do not hold a certificate and its key.</exception>
    public static CertificateAuthority Read(string certificateFile, string keyFile) =>
        new(X509Certificate2.CreateFromPemFile(certificateFile, keyFile));

    /// <summary>Makes a new authority and writes its files, the key first.</summary>
    public static CertificateAuthority Create(string certificateFile, string keyFile, string machineName, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var name = new X500DistinguishedNameBuilder();
        name.AddOrganizationName("Strongroom");

        // Unlike any other: two authorities of one name and different keys confuse whoever trusts both.
        name.AddCommonName($"Strongroom CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))} on {Shorten(machineName)}");
        var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);

        // A path of length 0: it may sign servers, and no further authorities.
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(0));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        var subject = new X509SubjectKeyIdentifierExtension(request.PublicKey, X509SubjectKeyIdentifierHashAlgorithm.Sha256, critical: false);
        request.CertificateExtensions.Add(subject);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(subject));

        var certificate = request.CreateSelfSigned(now - Backdating, now + Lifetime);
        AtomicFile.Write(keyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"), AtomicFile.Private);
        AtomicFile.Write(certificateFile, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"), AtomicFile.Public);
        return new CertificateAuthority(certificate);
    }

    /// <summary>Signs a certificate for the server and writes its files, key first. Both are new each time.</summary>
    public void IssueServer(string certificateFile, string keyFile, TlsNames names, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Strongroom server", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity(critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "Server Authentication")], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, X509SubjectKeyIdentifierHashAlgorithm.Sha256, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(names.ToExtension());

        var end = now + ServerLifetime;
        if (end > Certificate.NotAfter)
            end = Certificate.NotAfter;
        var start = now - Backdating;
        if (start < Certificate.NotBefore)
            start = Certificate.NotBefore;

        // Positive and of 16 bytes (RFC 5280 section 4.1.2.2).
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        using var certificate = request.Create(Certificate, start, end, serial);

        // A crash between the two leaves a pair that does not match, which the next start notices and replaces.
        AtomicFile.Write(keyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"), AtomicFile.Private);
        AtomicFile.Write(certificateFile, Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"), AtomicFile.Public);
    }

    public void Dispose() => Certificate.Dispose();

    // A common name has at most 64 characters (RFC 5280 appendix A.1, ub-common-name).
    private static string Shorten(string text) => text.Length > 32 ? text[..32] : text;
}
