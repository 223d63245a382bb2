using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace Strongroom.Identity.Keys;

/// <summary>One RSA key pair of the issuer. Immutable and thread-safe.</summary>
public sealed class SigningKey
{
    internal SigningKey(RSA rsa, DateTimeOffset createdAt)
    {
        var parameters = rsa.ExportParameters(includePrivateParameters: false);
        Modulus = Base64UrlEncoder.Encode(parameters.Modulus);
        Exponent = Base64UrlEncoder.Encode(parameters.Exponent);
        CreatedAt = createdAt;

        // RFC 7638: the key's id follows from the key, so that it is the same after every start and never meets another's.
        KeyId = Base64UrlEncoder.Encode(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(
            $$"""{"e":"{{Exponent}}","kty":"RSA","n":"{{Modulus}}"}""")));
        SecurityKey = new RsaSecurityKey(rsa) { KeyId = KeyId };
        Credentials = new SigningCredentials(SecurityKey, SecurityAlgorithms.RsaSha256);
    }

    /// <summary>The <c>kid</c> of tokens signed with this key: its RFC 7638 thumbprint.</summary>
    public string KeyId { get; }

    /// <summary>When the key was made, to the second; the newest key signs.</summary>
    public DateTimeOffset CreatedAt { get; }

    /// <summary>The public modulus, base64url.</summary>
    internal string Modulus { get; }

    /// <summary>The public exponent, base64url.</summary>
    internal string Exponent { get; }

    internal RsaSecurityKey SecurityKey { get; }

    internal SigningCredentials Credentials { get; }
}
