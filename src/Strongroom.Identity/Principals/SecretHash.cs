using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Strongroom.Identity.Principals;

/// <summary>
/// A client secret as it is kept: PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2) with a salt of its own, so that the list of
/// principals does not give the secrets away. Immutable and thread-safe.
/// </summary>
public sealed class SecretHash
{
    // The secrets we make have 256 random bits, which no number of iterations could make safer; the iterations are for
    // secrets that people choose. They are paid at every sign-in, an hour apart.
    private const int DefaultIterations = 100_000;
    private const int MaximumIterations = 10_000_000;
    private const int SaltLengthBytes = 16;
    private const int KeyLengthBytes = 32;
    private const int MaximumSecretLengthChars = 1024;

    private readonly int iterations;
    private readonly byte[] salt;
    private readonly byte[] key;

    private SecretHash(int iterations, byte[] salt, byte[] key)
    {
        this.iterations = iterations;
        this.salt = salt;
        this.key = key;
    }

    /// <summary>Hashes a secret with a new salt.</summary>
    /// <exception cref="ArgumentException">The secret is empty or longer than 1024 characters.</exception>
    public static SecretHash Create(string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        if (secret.Length > MaximumSecretLengthChars)
            throw new ArgumentException($"A secret has at most {MaximumSecretLengthChars} characters.", nameof(secret));
        var salt = RandomNumberGenerator.GetBytes(SaltLengthBytes);
        return new SecretHash(DefaultIterations, salt, Derive(secret, salt, DefaultIterations));
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">The text is not of that form.</exception>
    public static SecretHash Parse(string text)
    {
        var parts = text.Split('$');
        if (parts is not ["pbkdf2-sha256", var count, var salt, var key]
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var iterations)
            || iterations is < 1 or > MaximumIterations)
        {
            throw new FormatException("A secret's hash reads pbkdf2-sha256$iterations$salt$key.");
        }

        var hash = new SecretHash(iterations, Convert.FromBase64String(salt), Convert.FromBase64String(key));
        if (hash.salt.Length < SaltLengthBytes || hash.key.Length != KeyLengthBytes)
            throw new FormatException("A secret's hash has a salt of at least 16 bytes and a key of 32 bytes.");
        return hash;
    }

    /// <summary>Compares in constant time.</summary>
    public bool Matches(string secret) =>
        secret.Length is > 0 and <= MaximumSecretLengthChars
        && CryptographicOperations.FixedTimeEquals(Derive(secret, salt, iterations), key);

    /// <summary>The hash as text, <c>pbkdf2-sha256$iterations$salt$key</c>; the secret cannot be read from it.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"pbkdf2-sha256${iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(key)}");

    private static byte[] Derive(string secret, byte[] salt, int iterations) => Rfc2898DeriveBytes.Pbkdf2(
        Encoding.UTF8.GetBytes(secret), salt, iterations, HashAlgorithmName.SHA256, KeyLengthBytes);
}
