using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>Nonce (12, random), ciphertext, tag (16): how a small secret is sealed under a symmetric key (AES-256-GCM, NIST SP 800-38D).</summary>
internal static class AesWrap
{
    private const int NonceLengthBytes = 12;
    private const int TagLengthBytes = 16;

    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> associated)
    {
        var wrapped = new byte[NonceLengthBytes + plain.Length + TagLengthBytes];
        var nonce = wrapped.AsSpan(0, NonceLengthBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagLengthBytes);
        aes.Encrypt(nonce, plain, wrapped.AsSpan(NonceLengthBytes, plain.Length), wrapped.AsSpan(NonceLengthBytes + plain.Length), associated);
        return wrapped;
    }

    /// <exception cref="CryptographicException">Another key sealed it, or it was changed.</exception>
    public static byte[] Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> associated)
    {
        if (wrapped.Length < NonceLengthBytes + TagLengthBytes)
            throw new CryptographicException("The wrapped bytes are too short.");
        var plain = new byte[wrapped.Length - NonceLengthBytes - TagLengthBytes];
        using var aes = new AesGcm(key, TagLengthBytes);
        aes.Decrypt(wrapped[..NonceLengthBytes], wrapped[NonceLengthBytes..^TagLengthBytes], wrapped[^TagLengthBytes..], plain, associated);
        return plain;
    }
}
