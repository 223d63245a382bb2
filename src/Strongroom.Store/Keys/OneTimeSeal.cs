using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>How a blob is sealed that has a key of its own: HKDF (RFC 5869) of K_seal with the blob's random salt, then AES-256-GCM (NIST SP 800-38D).</summary>
/// <remarks>The key seals once, so the nonce may be 0.</remarks>
internal static class OneTimeSeal
{
    public const int TagLengthBytes = 16;

    private static ReadOnlySpan<byte> Nonce => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <param name="ring">Holds K_seal.</param>
    /// <param name="info">What kind of blob it is: keys of different kinds differ.</param>
    /// <param name="salt">Random, and never used for another blob of the kind.</param>
    /// <param name="associated">Is authenticated with it: the blob's header.</param>
    /// <param name="plain">What is sealed.</param>
    /// <param name="target">Gets as many bytes of ciphertext, and the tag.</param>
    public static void Seal(KeyRing ring, ReadOnlySpan<byte> info, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plain, Span<byte> target)
    {
        using var aes = CipherOf(ring, info, salt);
        aes.Encrypt(Nonce, plain, target[..^TagLengthBytes], target[^TagLengthBytes..], associated);
    }

    /// <summary>Opens what <see cref="Seal"/> made; false when it is something else, whether damaged or forged.</summary>
    public static bool TryOpen(KeyRing ring, ReadOnlySpan<byte> info, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> sealedBytes, Span<byte> plain)
    {
        using var aes = CipherOf(ring, info, salt);
        try
        {
            aes.Decrypt(Nonce, sealedBytes[..^TagLengthBytes], sealedBytes[^TagLengthBytes..], plain, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    private static AesGcm CipherOf(KeyRing ring, ReadOnlySpan<byte> info, ReadOnlySpan<byte> salt)
    {
        Span<byte> key = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, ring.SealKey, key, salt, info);
        return new AesGcm(key, TagLengthBytes);
    }
}
