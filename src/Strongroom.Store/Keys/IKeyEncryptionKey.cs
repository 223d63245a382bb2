namespace Strongroom.Store;

/// <summary>The key that wraps a vault's key ring: a file on this machine, or a customer's key in a key vault.</summary>
/// <remarks>Thread-safe. It must authenticate what it wraps.</remarks>
public interface IKeyEncryptionKey
{
    /// <summary>Names the key without revealing it; stored beside what it wrapped.</summary>
    string KeyId { get; }

    /// <summary>Encrypts and authenticates a few hundred bytes.</summary>
    ValueTask<byte[]> WrapAsync(ReadOnlyMemory<byte> plain, CancellationToken cancellationToken);

    /// <summary>Reverses <see cref="WrapAsync"/>.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The bytes were wrapped by another key, or changed.</exception>
    ValueTask<byte[]> UnwrapAsync(ReadOnlyMemory<byte> wrapped, CancellationToken cancellationToken);
}
