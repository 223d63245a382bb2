using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>The bytes of an escrow wrap: the public key goes with it, so that the ring's key can be wrapped anew without it being at hand.</summary>
internal static class EscrowWrap
{
    public static byte[] Format(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> sealedBytes)
    {
        var target = new byte[2 + publicKey.Length + sealedBytes.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)publicKey.Length);
        publicKey.CopyTo(target.AsSpan(2));
        sealedBytes.CopyTo(target.AsSpan(2 + publicKey.Length));
        return target;
    }

    /// <exception cref="CryptographicException">They are not such bytes.</exception>
    public static (byte[] PublicKey, byte[] Sealed) Parse(ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length < 2 || BinaryPrimitives.ReadUInt16LittleEndian(wrapped) is var length && length > wrapped.Length - 2)
            throw new CryptographicException("The escrow wrap is too short.");
        return (wrapped.Slice(2, length).ToArray(), wrapped[(2 + length)..].ToArray());
    }
}
