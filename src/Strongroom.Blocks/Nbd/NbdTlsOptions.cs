using System.Security.Cryptography.X509Certificates;

namespace Strongroom.Blocks.Nbd;

/// <summary>How to speak TLS with an NBD server: who it must be, and who we are.</summary>
public sealed record NbdTlsOptions
{
    /// <summary>The name or IP address that the server's certificate must bear; null takes the one it was addressed by. A Unix socket has none, so there it must be given.</summary>
    public string? HostName { get; init; }

    /// <summary>The authorities that the server's certificate must come from; null trusts those of the system. Revocation is not asked for: such authorities seldom publish it.</summary>
    public IReadOnlyList<X509Certificate2>? Authorities { get; init; }

    /// <summary>Our own certificate with its private key, for a server that asks for one.</summary>
    public X509Certificate2? Certificate { get; init; }
}
