using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Strongroom.Hosting;

/// <summary>
/// The certificate that the server shows, in <c>DIR/tls</c>. The server makes its own at the first start and renews it at a
/// start with less than 30 days left or under other names. An operator with a certificate from elsewhere puts it into
/// <c>server.pem</c> (the server's certificate first, then those between it and the root), its key into <c>server.key</c>,
/// and an empty file <c>server.supplied</c> beside them; then nothing there is ever written. Where clients need to be told
/// of the root, it goes into <c>ca.pem</c>.
/// </summary>
internal sealed class TlsCertificates : IDisposable
{
    private static readonly TimeSpan RenewalTime = TimeSpan.FromDays(30);

    private TlsCertificates(X509Certificate2 server, X509Certificate2Collection chain, string? authorityFile, IReadOnlyList<string> notes)
    {
        Server = server;
        Chain = chain;
        AuthorityFile = authorityFile;
        Notes = notes;
    }

    /// <summary>The server's certificate, with its private key.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>The certificates that are sent after the server's own.</summary>
    public X509Certificate2Collection Chain { get; }

    /// <summary>The file that clients are to trust; null when the operator's certificate is from a root that all trust.</summary>
    public string? AuthorityFile { get; }

    /// <summary>What is in <see cref="AuthorityFile"/>; null without one.</summary>
    public string? ReadAuthority() => AuthorityFile is null ? null : File.ReadAllText(AuthorityFile);

    /// <summary>What the operator should know of this start: made, renewed, about to expire. Sentences, often none.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Reads the certificate, making or renewing it as needed.</summary>
    /// <param name="folder">Exists already; see <see cref="DataFolder.TlsFolder"/>.</param>
    /// <param name="names">What the certificate must list; a supplied one is taken as it is.</param>
    /// <param name="machineName">For the authority's name alone.</param>
    /// <param name="time">The real clock, also when a tester moves the server's: certificates are judged by the clients' clocks.</param>
    /// <exception cref="InvalidDataException">A file there cannot be used and is not ours to replace; the message says which and what to do.</exception>
    public static TlsCertificates Open(string folder, TlsNames names, string machineName, TimeProvider time)
    {
        var files = new Files(folder);
        var now = time.GetUtcNow();
        var notes = new List<string>();
        if (File.Exists(files.SuppliedMark))
            return Supplied(files, now, notes);

        using var authority = OpenAuthority(files, machineName, now, notes);
        var server = ReadServer(files, authority, names, now);
        if (server is null)
        {
            if (File.Exists(files.Server))
                notes.Add("The server's certificate was renewed.");
            authority.IssueServer(files.Server, files.ServerKey, names, now);
            server = X509Certificate2.CreateFromPemFile(files.Server, files.ServerKey);
        }

        return new TlsCertificates(
            server, [X509CertificateLoader.LoadCertificate(authority.Certificate.RawDataMemory.Span)], files.Authority, notes);
    }

    /// <summary>Tells Kestrel to show this certificate.</summary>
    public void Configure(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = Server;
        https.ServerCertificateChain = Chain;
        // Half-open connections need no token: they must not hold a place for long.
        https.HandshakeTimeout = TimeSpan.FromSeconds(5);
    }

    public void Dispose()
    {
        Server.Dispose();
        foreach (var certificate in Chain)
            certificate.Dispose();
    }

    private static CertificateAuthority OpenAuthority(Files files, string machineName, DateTimeOffset now, List<string> notes)
    {
        // The key is written first, so a key alone is what a crash left of a first start; nobody trusts it yet.
        if (!File.Exists(files.Authority))
            return CertificateAuthority.Create(files.Authority, files.AuthorityKey, machineName, now);

        CertificateAuthority authority;
        try
        {
            authority = CertificateAuthority.Read(files.Authority, files.AuthorityKey);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or FileNotFoundException)
        {
            // Clients trust what is in that file: to replace it unasked would lock them out without a word.
            throw new InvalidDataException(
                $"'{files.Authority}' and '{files.AuthorityKey}' do not hold a certificate and its key. Restore them, or delete both to get a new authority, which every client must then be told to trust.",
                error);
        }

        if (authority.Certificate.NotAfter - now > RenewalTime)
            return authority;

        // The certificate goes first, so that a crash here looks like one in a first start.
        authority.Dispose();
        File.Delete(files.Authority);
        notes.Add($"The server's authority was about to expire and was replaced: clients must trust the new '{files.Authority}'.");
        return CertificateAuthority.Create(files.Authority, files.AuthorityKey, machineName, now);
    }

    // Null when there is none that will do.
    private static X509Certificate2? ReadServer(Files files, CertificateAuthority authority, TlsNames names, DateTimeOffset now)
    {
        if (!File.Exists(files.Server) || !File.Exists(files.ServerKey))
            return null;
        X509Certificate2 server;
        try
        {
            server = X509Certificate2.CreateFromPemFile(files.Server, files.ServerKey);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            return null;
        }

        if (server.NotAfter - now >= RenewalTime && server.NotBefore <= now && names.AreThoseOf(server) && IsSignedBy(authority, server, now))
            return server;
        server.Dispose();
        return null;
    }

    private static bool IsSignedBy(CertificateAuthority authority, X509Certificate2 server, DateTimeOffset now)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority.Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationTime = now.UtcDateTime;
        return chain.Build(server);
    }

    private static TlsCertificates Supplied(Files files, DateTimeOffset now, List<string> notes)
    {
        X509Certificate2 server;
        var chain = new X509Certificate2Collection();
        try
        {
            server = X509Certificate2.CreateFromPemFile(files.Server, files.ServerKey);
            chain.ImportFromPemFile(files.Server);
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException or FileNotFoundException)
        {
            throw new InvalidDataException(
                $"'{files.Server}' and '{files.ServerKey}' do not hold a certificate and its key. Put them there, or delete '{files.SuppliedMark}' to let the server make its own.",
                error);
        }

        chain.RemoveAt(0);
        if (server.NotAfter - now < RenewalTime)
            notes.Add($"The certificate in '{files.Server}' expires on {server.NotAfter.ToUniversalTime():yyyy-MM-dd}; it was supplied and must be replaced by hand.");
        return new TlsCertificates(server, chain, File.Exists(files.Authority) ? files.Authority : null, notes);
    }

    private sealed record Files(string Folder)
    {
        public string Authority => Path.Combine(Folder, "ca.pem");

        public string AuthorityKey => Path.Combine(Folder, "ca.key");

        public string Server => Path.Combine(Folder, "server.pem");

        public string ServerKey => Path.Combine(Folder, "server.key");

        public string SuppliedMark => Path.Combine(Folder, "server.supplied");
    }
}
