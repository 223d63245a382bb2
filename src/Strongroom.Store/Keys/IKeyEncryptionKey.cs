namespace Strongroom.Store;

/// <summary>A key that wraps the key of a vault's key ring: a file on this machine, a passphrase, an escrow key, or a customer's key in a key vault.</summary>
/// <remarks>Thread-safe. It must authenticate what it wraps, unless only a private key can open it.</remarks>
public interface IKeyEncryptionKey
{
    /// <summary>What sort of key it is, in <c>[a-z0-9-]</c>: <c>file</c>, <c>passphrase</c>, <c>escrow</c>. A wrap is only tried with a key of its kind.</summary>
    string Kind { get; }

    /// <summary>Names the key without revealing it; stored beside what it wrapped.</summary>
    string KeyId { get; }

    /// <summary>Encrypts and authenticates 32 bytes.</summary>
    ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> plain, CancellationToken cancellationToken);

    /// <summary>Reverses <see cref="WrapAsync"/>.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The bytes were wrapped by another key, or changed.</exception>
    ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken);
}
