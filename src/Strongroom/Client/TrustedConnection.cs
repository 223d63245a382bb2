using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Strongroom.Client;

/// <summary>HTTPS that trusts one certificate authority and nothing else, not even what the machine trusts; or what the machine trusts.</summary>
internal static class TrustedConnection
{
    /// <summary>A client for a server whose certificate is signed by the authority in <paramref name="caFile"/> (PEM).</summary>
    /// <remarks>
    /// The host's name is verified too. No redirects are followed: a bearer token must not wander. There is no
    /// total time limit, because a disk is downloaded through it; every call carries a limit of its own.
    /// </remarks>
    /// <exception cref="ClientException">The file is missing or holds no certificate.</exception>
    public static HttpClient Create(string caFile) => Create(TrustOnly(caFile));

    /// <summary>A client for a server whose certificate the machine trusts.</summary>
    public static HttpClient Create() => Create(policy: null);

    private static X509ChainPolicy TrustOnly(string caFile)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(caFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            throw new ClientException($"The certificate authority's file '{caFile}' cannot be read: {e.Message}", e);
        }

        if (roots.Count == 0)
            throw new ClientException($"The file '{caFile}' holds no certificate.");

        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // A private authority on this machine publishes no revocation list.
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(roots);
        return policy;
    }

    private static HttpClient Create(X509ChainPolicy? policy)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            ConnectTimeout = TimeLimits.Connect,
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
        };
        return new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
