using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Strongroom.Blocks.Nbd;

/// <summary>The client's side of TLS on a connection that has agreed to it.</summary>
internal static class NbdTls
{
    /// <summary>Takes over <paramref name="plain"/>: it is closed with the result, or when the handshake fails.</summary>
    /// <exception cref="IOException">The handshake failed, or the server is not who it must be.</exception>
    public static async Task<Stream> AuthenticateAsync(Stream plain, NbdAddress address, NbdTlsOptions options, CancellationToken cancellationToken)
    {
        var name = options.HostName ?? address.HostName
            ?? throw new IOException("TLS over a Unix socket needs the name that the server's certificate bears.");
        var tls = new SslStream(plain);
        try
        {
            await tls.AuthenticateAsClientAsync(Settings(name, options), cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (Exception exception)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (exception is AuthenticationException)
                throw new IOException($"TLS failed: {(exception.InnerException ?? exception).Message}", exception);
            throw;
        }
    }

    private static SslClientAuthenticationOptions Settings(string name, NbdTlsOptions options)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (options.Authorities is { } authorities)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities.ToArray());
        }

        return new SslClientAuthenticationOptions
        {
            TargetHost = name,
            CertificateChainPolicy = policy,
            ClientCertificateContext = options.Certificate is { } certificate ? SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true) : null,
        };
    }
}
