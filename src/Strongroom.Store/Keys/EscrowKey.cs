using System.Security.Cryptography;
using Strongroom.Store.Keys;

namespace Strongroom.Store;

/// <summary>A public key to which a vault's keys are wrapped, so that its private half, kept elsewhere, opens the vault in an emergency.</summary>
/// <remarks>RSA of at least 3,072 bits (OAEP with SHA-256) or the curves P-256 and P-384 (<c>docs/store-format.md</c> section 3).</remarks>
public sealed class EscrowKey : IKeyEncryptionKey
{
    internal const string KindName = "escrow";
    private readonly EscrowCipher cipher;
    private readonly bool hasPrivateHalf;

    private EscrowKey(EscrowCipher cipher, bool hasPrivateHalf)
    {
        this.cipher = cipher;
        this.hasPrivateHalf = hasPrivateHalf;
        KeyId = KeyIdOf(cipher.PublicKey);
    }

    /// <inheritdoc/>
    public string Kind => KindName;

    /// <summary><c>escrow:</c> and the first 16 hex digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER).</summary>
    public string KeyId { get; }

    /// <summary>A key that can only wrap.</summary>
    /// <param name="pem">The public key: <c>PUBLIC KEY</c> or <c>RSA PUBLIC KEY</c>.</param>
    /// <exception cref="StoreException">InvalidRequest: it is not a public key that may be used.</exception>
    public static EscrowKey FromPublicPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);

        // A private key must never be handed over here by mistake and then lie about in a script.
        if (pem.Contains("PRIVATE KEY", StringComparison.Ordinal))
            throw new StoreException(StoreErrorKind.InvalidRequest, "That is a private key. Give its public half; keep the private one away from this machine.");
        return new(EscrowCipher.Import(pem, null), hasPrivateHalf: false);
    }

    /// <summary>A key that opens.</summary>
    /// <param name="pem">The private key: PKCS #8, encrypted or not, or the older forms of RSA and EC.</param>
    /// <param name="password">Of an encrypted PKCS #8; otherwise null.</param>
    /// <exception cref="StoreException">InvalidRequest: it is not a key that may be used. WrongKey: the password is wrong.</exception>
    public static EscrowKey FromPrivatePem(string pem, string? password)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (!pem.Contains("PRIVATE KEY", StringComparison.Ordinal))
            throw new StoreException(StoreErrorKind.InvalidRequest, "That is not a private key in PEM form. Give the private half of the escrow key.");
        return new(EscrowCipher.Import(pem, password), hasPrivateHalf: true);
    }

    /// <inheritdoc/>
    public ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> plain, CancellationToken cancellationToken) =>
        new(EscrowWrap.Format(cipher.PublicKey, cipher.Encrypt(plain.Span)));

    /// <inheritdoc/>
    public ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken)
    {
        var (publicKey, sealedBytes) = EscrowWrap.Parse(wrapped.Span);
        if (!hasPrivateHalf || !publicKey.AsSpan().SequenceEqual(cipher.PublicKey))
            throw new CryptographicException("The bytes were wrapped to another key than this private one.");
        return new(cipher.Decrypt(sealedBytes));
    }

    internal static string KeyIdOf(ReadOnlySpan<byte> publicKey) =>
        "escrow:" + Convert.ToHexStringLower(SHA256.HashData(publicKey).AsSpan(0, 8));

    /// <summary>Wraps something else to the public key that a wrap carries. The caller has made sure that the wrap is authentic.</summary>
    internal static byte[] WrapAnew(ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> plain)
    {
        var publicKey = EscrowWrap.Parse(wrapped).PublicKey;
        return EscrowWrap.Format(publicKey, EscrowCipher.OfPublicKey(publicKey).Encrypt(plain));
    }
}
