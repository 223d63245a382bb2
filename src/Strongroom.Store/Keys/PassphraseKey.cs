using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Strongroom.Store.Keys;

namespace Strongroom.Store;

/// <summary>A key encryption key made of a passphrase (<c>docs/store-format.md</c> section 3): PBKDF2-HMAC-SHA-512, RFC 8018.</summary>
/// <remarks>Each wrap has a salt and a count of its own, so one key opens wraps of any age. A wrap or an opening takes some tenths of a second.</remarks>
public sealed class PassphraseKey : IKeyEncryptionKey
{
    private const uint DefaultIterations = 600_000;
    private const uint GreatestIterations = 20_000_000;
    private const int SaltLengthBytes = 16;
    private const int HeaderLengthBytes = 1 + 4 + SaltLengthBytes;
    private const int KeyLengthBytes = 32;
    private const byte Pbkdf2 = 1;
    private readonly byte[] passphrase;
    private readonly uint iterations;

    /// <param name="passphrase">At least one character; used as its UTF-8 bytes in Unicode normalisation form C.</param>
    /// <exception cref="StoreException">InvalidRequest: it is empty.</exception>
    public PassphraseKey(string passphrase)
        : this(passphrase, DefaultIterations)
    {
    }

    internal PassphraseKey(string passphrase, uint iterations)
    {
        ArgumentNullException.ThrowIfNull(passphrase);
        if (passphrase.Length == 0)
            throw new StoreException(StoreErrorKind.InvalidRequest, "The passphrase is empty. Choose one of several words.");
        this.passphrase = Encoding.UTF8.GetBytes(passphrase.Normalize(NormalizationForm.FormC));
        this.iterations = iterations;

        // Random: an id made of the passphrase would let a thief test guesses without the slow derivation.
        KeyId = "passphrase:" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    }

    /// <inheritdoc/>
    public string Kind => "passphrase";

    /// <summary>The name of wraps that this object makes; it opens those of any other name, too, if the passphrase is theirs.</summary>
    public string KeyId { get; }

    /// <inheritdoc/>
    public async ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> plain, CancellationToken cancellationToken)
    {
        var header = new byte[HeaderLengthBytes];
        header[0] = Pbkdf2;
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(1), iterations);
        RandomNumberGenerator.Fill(header.AsSpan(5));
        var key = await DeriveAsync(header, cancellationToken);
        return [.. header, .. AesWrap.Seal(key, plain.Span, header)];
    }

    /// <inheritdoc/>
    public async ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken)
    {
        if (wrapped.Length < HeaderLengthBytes || wrapped.Span[0] != Pbkdf2)
            throw new CryptographicException("The wrapped bytes are not made with a passphrase.");
        var header = wrapped[..HeaderLengthBytes].ToArray();

        // The count is read before anything vouches for it: a changed one must not keep the machine busy for days.
        if (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(1)) is 0 or > GreatestIterations)
            throw new CryptographicException("The count of iterations is out of its limits.");
        var key = await DeriveAsync(header, cancellationToken);
        return AesWrap.Open(key, wrapped.Span[HeaderLengthBytes..], header);
    }

    /// <summary>Not on the caller's thread, which it would hold for tenths of a second.</summary>
    private Task<byte[]> DeriveAsync(byte[] header, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Workers.StartAsync(() => Task.FromResult(Rfc2898DeriveBytes.Pbkdf2(
            passphrase, header.AsSpan(5), (int)BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(1)), HashAlgorithmName.SHA512, KeyLengthBytes)));
    }
}
