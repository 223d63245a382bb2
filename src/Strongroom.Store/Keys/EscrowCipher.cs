using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>Encrypts a few bytes to a public key. Thread-safe.</summary>
internal abstract class EscrowCipher
{
    private const int LeastRsaBits = 3072;

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public abstract byte[] PublicKey { get; }

    public abstract byte[] Encrypt(ReadOnlySpan<byte> plain);

    /// <exception cref="CryptographicException">It was encrypted to another key, or changed.</exception>
    public abstract byte[] Decrypt(ReadOnlySpan<byte> sealedBytes);

    /// <summary>Reads a public or private key in PEM form.</summary>
    public static EscrowCipher Import(string pem, string? password)
    {
        if (TryImport(RSA.Create(), pem, password) is { } rsa)
            return Checked(rsa);
        if (TryImport(ECDiffieHellman.Create(), pem, password) is { } curve)
            return Checked(curve);
        throw pem.Contains("ENCRYPTED PRIVATE KEY", StringComparison.Ordinal)
            ? new StoreException(StoreErrorKind.WrongKey, "The private key does not open with this password, or is neither RSA nor of the curve P-256 or P-384.")
            : Unusable("it is neither an RSA key nor one of the curve P-256 or P-384, in PEM form");
    }

    /// <exception cref="CryptographicException">The bytes are no such key.</exception>
    public static EscrowCipher OfPublicKey(ReadOnlySpan<byte> publicKey)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportSubjectPublicKeyInfo(publicKey, out _);
            return Checked(rsa);
        }
        catch (CryptographicException)
        {
            rsa.Dispose();
        }

        var curve = ECDiffieHellman.Create();
        curve.ImportSubjectPublicKeyInfo(publicKey, out _);
        return Checked(curve);
    }

    private static T? TryImport<T>(T key, string pem, string? password)
        where T : AsymmetricAlgorithm
    {
        try
        {
            if (password is null)
                key.ImportFromPem(pem);
            else
                key.ImportFromEncryptedPem(pem, password);
            return key;
        }
        catch (Exception failure) when (failure is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            key.Dispose();
            return null;
        }
    }

    private static RsaCipher Checked(RSA key) => key.KeySize >= LeastRsaBits
        ? new(key)
        : throw Unusable($"an RSA key must have at least {LeastRsaBits} bits, and this one has {key.KeySize}");

    private static CurveCipher Checked(ECDiffieHellman key) => key.ExportParameters(false).Curve.Oid.Value is "1.2.840.10045.3.1.7" or "1.3.132.0.34"
        ? new(key)
        : throw Unusable("only the curves P-256 and P-384 are used");

    private static StoreException Unusable(string why) =>
        new(StoreErrorKind.InvalidRequest, $"The escrow key cannot be used: {why}. Make another, for example with 'openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096'.");

    private sealed class RsaCipher(RSA key) : EscrowCipher
    {
        public override byte[] PublicKey { get; } = key.ExportSubjectPublicKeyInfo();

        public override byte[] Encrypt(ReadOnlySpan<byte> plain)
        {
            lock (key)
                return key.Encrypt(plain, RSAEncryptionPadding.OaepSHA256);
        }

        public override byte[] Decrypt(ReadOnlySpan<byte> sealedBytes)
        {
            lock (key)
                return key.Decrypt(sealedBytes, RSAEncryptionPadding.OaepSHA256);
        }
    }

    /// <summary>An ephemeral key agrees with the public one on a secret of which HKDF makes the key of this one message (after RFC 9180's plan).</summary>
    private sealed class CurveCipher(ECDiffieHellman key) : EscrowCipher
    {
        public override byte[] PublicKey { get; } = key.ExportSubjectPublicKeyInfo();

        public override byte[] Encrypt(ReadOnlySpan<byte> plain)
        {
            using var ephemeral = ECDiffieHellman.Create(key.ExportParameters(false).Curve);
            var point = ephemeral.ExportSubjectPublicKeyInfo();
            using var recipient = Recipient();
            var secret = ephemeral.DeriveRawSecretAgreement(recipient.PublicKey);
            return EscrowWrap.Format(point, AesWrap.Seal(DeriveKey(secret, point), plain, default));
        }

        public override byte[] Decrypt(ReadOnlySpan<byte> sealedBytes)
        {
            var (point, wrapped) = EscrowWrap.Parse(sealedBytes);
            using var ephemeral = ECDiffieHellman.Create();
            byte[] secret;
            try
            {
                ephemeral.ImportSubjectPublicKeyInfo(point, out _);
                lock (key)
                    secret = key.DeriveRawSecretAgreement(ephemeral.PublicKey);
            }
            catch (Exception failure) when (failure is ArgumentException or PlatformNotSupportedException)
            {
                throw new CryptographicException("The ephemeral key is of another curve.", failure);
            }

            return AesWrap.Open(DeriveKey(secret, point), wrapped, default);
        }

        private ECDiffieHellman Recipient()
        {
            var recipient = ECDiffieHellman.Create();
            recipient.ImportSubjectPublicKeyInfo(PublicKey, out _);
            return recipient;
        }

        private byte[] DeriveKey(byte[] secret, byte[] point)
        {
            var salt = SHA256.HashData([.. point, .. PublicKey]);
            return HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, salt, "strongroom escrow v1"u8.ToArray());
        }
    }
}
