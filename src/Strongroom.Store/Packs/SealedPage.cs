using System.Buffers;
using System.Security.Cryptography;

namespace Strongroom.Store.Packs;

/// <summary>A page of 4 KiB that is sealed with its number and its blob's header: index segments and relocation tables consist of them.</summary>
internal static class SealedPage
{
    public const int LengthBytes = 4096;
    public const int PayloadLengthBytes = LengthBytes - PackFormat.TagLengthBytes;

    /// <summary>Seals a payload of <see cref="PayloadLengthBytes"/> into the first <see cref="LengthBytes"/> of <paramref name="target"/>.</summary>
    public static void Seal(AesGcm aes, byte[] header, uint page, ReadOnlySpan<byte> payload, Span<byte> target)
    {
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLengthBytes];
        PackFormat.WriteNonce(nonce, page);
        aes.Encrypt(nonce, payload, target[..PayloadLengthBytes], target[PayloadLengthBytes..LengthBytes], header);
    }

    /// <summary>Reads a page of a blob, whose pages follow its header. False where it is not what was sealed, or is not there.</summary>
    /// <exception cref="StoreException">NotFound, Io.</exception>
    public static async ValueTask<bool> TryReadAsync(
        IBlobBackend backend, string name, byte[] header, byte[] key, long page, Memory<byte> payload, CancellationToken cancellationToken)
    {
        var stored = ArrayPool<byte>.Shared.Rent(LengthBytes);
        try
        {
            var read = await backend.ReadAsync(name, header.Length + (page * LengthBytes), stored.AsMemory(0, LengthBytes), cancellationToken);
            return read == LengthBytes && TryOpen(key, header, (uint)page, stored.AsSpan(0, LengthBytes), payload.Span[..PayloadLengthBytes]);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
        }
    }

    private static bool TryOpen(byte[] key, byte[] header, uint page, ReadOnlySpan<byte> stored, Span<byte> payload)
    {
        Span<byte> nonce = stackalloc byte[PackFormat.NonceLengthBytes];
        PackFormat.WriteNonce(nonce, page);
        using var aes = new AesGcm(key, PackFormat.TagLengthBytes);
        try
        {
            aes.Decrypt(nonce, stored[..PayloadLengthBytes], stored[PayloadLengthBytes..], payload, header);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}
