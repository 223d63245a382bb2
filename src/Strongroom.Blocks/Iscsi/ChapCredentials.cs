using System.Text;

namespace Strongroom.Blocks.Iscsi;

/// <summary>A name and a secret for CHAP (RFC 7143, 12.1.3).</summary>
public sealed record ChapCredentials
{
    /// <summary>96 bits: below it RFC 7143, 9.2.1, forbids CHAP without IPsec.</summary>
    public const int ShortestSecretBytes = 12;

    private const int LongestBytes = 255;

    /// <param name="userName">Printable ASCII.</param>
    /// <param name="secret">12 to 255 bytes of printable ASCII; some initiators take no more than 16.</param>
    /// <exception cref="ArgumentException">Name or secret is not so.</exception>
    public ChapCredentials(string userName, string secret)
    {
        if (userName.Length is 0 or > LongestBytes || !IsPrintable(userName))
            throw new ArgumentException($"A CHAP name has 1 to {LongestBytes} printable ASCII characters.", nameof(userName));
        if (secret.Length is < ShortestSecretBytes or > LongestBytes || !IsPrintable(secret))
            throw new ArgumentException($"A CHAP secret has {ShortestSecretBytes} to {LongestBytes} printable ASCII characters.", nameof(secret));
        UserName = userName;
        Secret = Encoding.ASCII.GetBytes(secret);
    }

    public string UserName { get; }

    internal byte[] Secret { get; }

    /// <summary>True when both prove the same secret.</summary>
    public bool HasSecretOf(ChapCredentials other) => Secret.AsSpan().SequenceEqual(other.Secret);

    public bool Equals(ChapCredentials? other) => other is not null && UserName == other.UserName && HasSecretOf(other);

    public override int GetHashCode() => UserName.GetHashCode(StringComparison.Ordinal);

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"CHAP credentials of {UserName}";

    private static bool IsPrintable(string text) => text.All(character => character is >= ' ' and <= '~');
}
