using System.Security.Cryptography;

namespace Strongroom.Store.Keys;

/// <summary>What the next generation of the keys is to hold.</summary>
/// <param name="Wraps">The keys that open it.</param>
/// <param name="Ring">The vault's keys.</param>
/// <param name="RingKey">What seals the ring.</param>
/// <param name="Kek">The key with which this process opens it.</param>
internal sealed record PlannedKeys(IReadOnlyList<KeyWrap> Wraps, KeyRing Ring, byte[] RingKey, IKeyEncryptionKey Kek);

/// <summary>Removes a wrap, or puts another in its place, under a new ring key and with a new data key: who kept the old ones opens neither later generations nor later packs.</summary>
internal static class KeyReplacement
{
    public static async ValueTask<PlannedKeys?> PlanAsync(
        OpenedKeys newest,
        uint greatestEpoch,
        string keyId,
        IKeyEncryptionKey? to,
        IKeyEncryptionKey own,
        IReadOnlyCollection<IKeyEncryptionKey> remaining,
        CancellationToken cancellationToken)
    {
        var removed = newest.Generation.Wraps.FirstOrDefault(wrap => wrap.KeyId == keyId);
        if (removed is null)
        {
            // Repeated after it was done.
            if (to is not null && newest.Generation.Wraps.Any(wrap => wrap.KeyId == to.KeyId))
                return null;
            throw new StoreException(StoreErrorKind.NotFound, $"No key '{keyId}' opens the vault. List the keys again.");
        }

        var isOwn = await OpensAsync(own, removed, newest.RingKey, cancellationToken);
        if (isOwn && to is null)
            throw new StoreException(StoreErrorKind.InvalidRequest, $"The vault was opened with '{keyId}'. Open it with a key that stays, then remove this one.");
        var ringKey = RandomNumberGenerator.GetBytes(VaultKeys.RingKeyLengthBytes);
        var atHand = new List<IKeyEncryptionKey>(remaining) { own };
        var wraps = new List<KeyWrap>();
        foreach (var wrap in newest.Generation.Wraps.Where(wrap => wrap != removed && wrap.KeyId != to?.KeyId))
            wraps.Add(wrap with { Wrapped = await WrapAnewAsync(wrap, newest.RingKey, ringKey, atHand, cancellationToken) });
        if (to is not null)
            wraps.Add(new(to.Kind, to.KeyId, await to.WrapAsync(ringKey, cancellationToken)));
        return new(wraps, newest.Ring.WithNextEpoch(greatestEpoch), ringKey, isOwn ? to! : own);
    }

    private static async Task<byte[]> WrapAnewAsync(
        KeyWrap wrap, byte[] oldRingKey, byte[] ringKey, List<IKeyEncryptionKey> atHand, CancellationToken cancellationToken)
    {
        // Its public key is in the wrap, and the ring's tag vouches for the wrap.
        if (wrap.Kind == EscrowKey.KindName)
            return EscrowKey.WrapAnew(wrap.Wrapped, ringKey);
        foreach (var key in atHand)
        {
            if (await OpensAsync(key, wrap, oldRingKey, cancellationToken))
                return await key.WrapAsync(ringKey, cancellationToken);
        }

        throw new StoreException(
            StoreErrorKind.InvalidRequest, $"The key '{wrap.KeyId}' is to stay, and is not at hand to wrap the new keys. Give it as well, or remove it first. Nothing was changed.");
    }

    private static async Task<bool> OpensAsync(IKeyEncryptionKey key, KeyWrap wrap, byte[] ringKey, CancellationToken cancellationToken) =>
        key.Kind == wrap.Kind
        && await KeyOpening.TryUnwrapAsync(wrap, key, cancellationToken) is { } found
        && CryptographicOperations.FixedTimeEquals(found, ringKey);
}
