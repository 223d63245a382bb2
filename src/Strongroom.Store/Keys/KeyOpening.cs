using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>A generation of the keys that a key encryption key opened.</summary>
internal sealed record OpenedKeys(KeyGeneration Generation, byte[] Digest, byte[] RingKey, KeyRing Ring);

/// <summary>How the keys of a vault are found and opened.</summary>
internal static class KeyOpening
{
    private const int Attempts = 5;

    /// <summary>Opens the newest generation. One that is damaged is passed over here: only the log knows whether it had come into force.</summary>
    /// <exception cref="StoreException">WrongKey when <paramref name="kek"/> does not open it; Corrupt when it is missing or damaged.</exception>
    public static async Task<OpenedKeys> OpenNewestAsync(KeyFolder folder, Guid vaultId, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        StoreException? firstFailure = null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            firstFailure = null;
            var numbers = await folder.ListAsync(cancellationToken);
            var isWhole = true;
            foreach (var number in Enumerable.Reverse(numbers))
            {
                var blob = await folder.ReadAsync(number, cancellationToken);
                isWhole &= blob is not null;
                try
                {
                    if (blob is not null)
                        return await OpenAsync(blob, vaultId, kek, cancellationToken);
                }
                catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
                {
                    firstFailure ??= failure;
                }
            }

            // One that was listed and then gone was replaced by another process meanwhile: look again.
            if (isWhole)
                break;
        }

        throw firstFailure ?? StoreException.Corrupt("The vault's key ring (keys/) is missing: restore that folder from a copy of the vault");
    }

    private static async Task<OpenedKeys> OpenAsync(KeyBlob blob, Guid vaultId, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        var generation = blob.Content ?? throw blob.Failure!;
        foreach (var wrap in generation.Wraps.Where(wrap => wrap.Kind == kek.Kind))
        {
            if (await TryUnwrapAsync(wrap, kek, cancellationToken) is { } ringKey)
                return new(generation, blob.Digest, ringKey, generation.Open(vaultId, ringKey));
        }

        throw Refuse(generation, kek);
    }

    /// <summary>The ring's key, or null when the key does not open the wrap.</summary>
    public static async Task<byte[]?> TryUnwrapAsync(KeyWrap wrap, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        try
        {
            var ringKey = await kek.UnwrapAsync(wrap.Wrapped, cancellationToken);
            return ringKey.Length == VaultKeys.RingKeyLengthBytes ? ringKey : null;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static StoreException Refuse(KeyGeneration generation, IKeyEncryptionKey kek)
    {
        if (generation.Wraps.Any(wrap => wrap.KeyId == kek.KeyId))
        {
            return new(
                StoreErrorKind.Corrupt,
                $"Generation {generation.Number} of the vault's keys has a wrap for '{kek.KeyId}', and it is damaged: restore the folder keys/ from a copy of the vault.");
        }

        // To a wrong passphrase nothing more is said: whoever guesses learns only that.
        if (kek.Kind == "passphrase" && generation.Wraps.Any(wrap => wrap.Kind == kek.Kind))
            return new(StoreErrorKind.WrongKey, "The passphrase does not open the vault. Try again.");
        return new(
            StoreErrorKind.WrongKey,
            $"The key '{kek.KeyId}' does not open the vault; {string.Join(" or ", generation.Wraps.Select(wrap => $"'{wrap.KeyId}'"))} does. Give one of those.");
    }
}
