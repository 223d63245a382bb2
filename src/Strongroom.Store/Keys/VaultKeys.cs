using System.Security.Cryptography;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;

namespace Strongroom.Store;

/// <summary>A key that opens a vault, by name.</summary>
/// <param name="Kind">What sort of key it is: <c>file</c>, <c>passphrase</c>, <c>escrow</c>.</param>
/// <param name="KeyId">Its name, with which <see cref="VaultKeys.RemoveWrapAsync"/> removes it.</param>
public sealed record VaultKeyInfo(string Kind, string KeyId);

/// <summary>The keys of an open vault: which open it, and changing them (<c>docs/store-format.md</c> section 3). Thread-safe.</summary>
/// <remarks>
/// Every change is a new generation of the key ring: written, read back and opened as the next opening will, entered in the log, and only then
/// are older generations deleted. A crash leaves a vault that opens with the keys before or after the change.
/// A change that failed may be repeated. Failures are <see cref="StoreException"/>: Io, Full; WrongKey when the key that opened the vault was removed by
/// another process; Conflict when others keep changing the keys.
/// </remarks>
public sealed partial class VaultKeys : IDisposable
{
    internal const int RingKeyLengthBytes = 32;
    private const int Attempts = 10;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly KeyFolder folder;
    private IKeyEncryptionKey kek;
    private volatile OpenedKeys current;
    private VaultLog? log;
    private VaultGovernance? governance;

    private VaultKeys(KeyFolder folder, IKeyEncryptionKey kek, OpenedKeys opened)
    {
        this.folder = folder;
        this.kek = kek;
        current = opened;
        Ring = opened.Ring;
        Ring.Reload = ReloadAsync;
    }

    private delegate ValueTask<PlannedKeys?> Plan(OpenedKeys newest);

    /// <summary>The generation in use.</summary>
    public int Generation => (int)current.Generation.Number;

    /// <summary>The epoch of the data key that seals new packs.</summary>
    public int CurrentEpoch => (int)Ring.CurrentEpoch;

    /// <summary>The keys that open the vault.</summary>
    public IReadOnlyList<VaultKeyInfo> Wraps => [.. current.Generation.Wraps.Select(wrap => new VaultKeyInfo(wrap.Kind, wrap.KeyId))];

    internal KeyRing Ring { get; }

    /// <summary>The blob of the generation in use.</summary>
    internal string BlobName => folder.NameOf(current.Generation.Number);

    private bool IsOlder => current.Generation.Number < Log.State.Keys.Generation;

    private VaultLog Log => log ?? throw new InvalidOperationException("The keys are not joined to the log yet.");

    /// <summary>Makes a new data key for new packs. Old packs stay readable; keys that open the vault stay as they are.</summary>
    public Task RotateAsync(CancellationToken cancellationToken)
    {
        KeyRing? planned = null;
        return ChangeAsync(
            newest =>
            {
                // Planned anew although it was done: another process built upon it before this one saw it.
                if (planned is not null && newest.Ring.Includes(planned))
                    return new((PlannedKeys?)null);
                planned = newest.Ring.WithNextEpoch(Log.State.Keys.Epoch);
                return new(new PlannedKeys(newest.Generation.Wraps, planned, newest.RingKey, kek));
            },
            mendsOlder: true,
            cancellationToken);
    }

    /// <summary>Lets another key open the vault as well.</summary>
    public Task AddWrapAsync(IKeyEncryptionKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return ChangeAsync(
            async newest => newest.Generation.Wraps.Any(wrap => wrap.KeyId == key.KeyId)
                ? null
                : new([.. newest.Generation.Wraps, await WrapAsync(key, newest.RingKey, cancellationToken)], newest.Ring, newest.RingKey, kek),
            mendsOlder: false,
            cancellationToken);
    }

    /// <summary>Lets the private half of a public key open the vault as well.</summary>
    /// <exception cref="StoreException">InvalidRequest: it is not a public key that may be used.</exception>
    public Task EscrowAsync(string publicKeyPem, CancellationToken cancellationToken) =>
        AddWrapAsync(EscrowKey.FromPublicPem(publicKeyPem), cancellationToken);

    /// <summary>A key does not open the vault any more. The ring gets a new key of its own, and a new data key seals what is written from now on.</summary>
    /// <remarks>With an old copy of <c>keys/</c> the removed key still opens what was written before, and the log. Sessions of other processes use the new data key from their next pack on.</remarks>
    /// <param name="keyId">Of <see cref="Wraps"/>.</param>
    /// <param name="remaining">The keys that stay and are not at hand: all but escrow keys and the key with which the vault was opened.</param>
    /// <param name="cancellationToken">Has no effect once the new generation may be visible.</param>
    /// <exception cref="StoreException">NotFound: there is no such wrap. InvalidRequest: the vault was opened with it, or a key that stays is not at hand.</exception>
    public Task RemoveWrapAsync(string keyId, IReadOnlyCollection<IKeyEncryptionKey> remaining, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(remaining);
        return ReplaceAsync(keyId, null, remaining, cancellationToken);
    }

    /// <summary>Another key opens the vault instead of one that does now, in one step, and a new data key seals what is written from now on.</summary>
    /// <param name="fromKeyId">Of <see cref="Wraps"/>; it may be the key with which the vault was opened.</param>
    /// <param name="to">The new key. If the old one was the vault's, it takes its place in this process, too.</param>
    /// <param name="remaining">As for <see cref="RemoveWrapAsync"/>.</param>
    /// <param name="cancellationToken">Has no effect once the new generation may be visible.</param>
    /// <exception cref="StoreException">As for <see cref="RemoveWrapAsync"/>.</exception>
    public Task RewrapAsync(string fromKeyId, IKeyEncryptionKey to, IReadOnlyCollection<IKeyEncryptionKey> remaining, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(remaining);
        return ReplaceAsync(fromKeyId, to, remaining, cancellationToken);
    }

    /// <summary>Destroys every copy of the keys that the vault has: nobody can ever read it again, whatever packs remain. Cannot be undone.</summary>
    /// <param name="confirmation">The vault's id, in hex with dashes, to show that it is meant.</param>
    /// <param name="cancellationToken">Has no effect once the log may say so.</param>
    /// <exception cref="StoreException">InvalidRequest: <paramref name="confirmation"/> is not the vault's id. Locked or Refused: a snapshot must not be lost yet.</exception>
    public async Task EraseAsync(string confirmation, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(confirmation);
        if (!string.Equals(confirmation, Ring.VaultId.ToString("D"), StringComparison.OrdinalIgnoreCase))
            throw new StoreException(StoreErrorKind.InvalidRequest, "To destroy the vault's keys, repeat the vault's id. Nothing was changed.");
        await gate.WaitAsync(cancellationToken);
        try
        {
            // The entry comes first: from there whoever opens the vault finishes what a crash leaves undone.
            await Log.AppendAsync(LogEntryType.Erase, now => Log.State.Keys.IsErased ? null : governance!.RequireErasable(now), cancellationToken);
            await folder.DeleteAllAsync(CancellationToken.None);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Done by the vault.</summary>
    void IDisposable.Dispose() => gate.Dispose();

    /// <summary>Opens the newest generation; <see cref="JoinAsync"/> follows when the log is open.</summary>
    internal static async Task<VaultKeys> OpenAsync(IBlobBackend backend, Guid vaultId, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        var folder = new KeyFolder(backend, vaultId);
        return new(folder, kek, await KeyOpening.OpenNewestAsync(folder, vaultId, kek, cancellationToken));
    }

    /// <summary>The keys of a vault that is being made.</summary>
    internal static async Task CreateAsync(IBlobBackend backend, KeyRing ring, IKeyEncryptionKey kek, CancellationToken cancellationToken)
    {
        var ringKey = RandomNumberGenerator.GetBytes(RingKeyLengthBytes);
        var generation = KeyGeneration.Seal(1, [await WrapAsync(kek, ringKey, cancellationToken)], ring, ringKey);
        if (await new KeyFolder(backend, ring.VaultId).TryWriteAsync(generation, cancellationToken) is null)
            throw new StoreException(StoreErrorKind.Conflict, "Another writer is making the vault. Try again.");
    }

    private static async Task<KeyWrap> WrapAsync(IKeyEncryptionKey key, byte[] ringKey, CancellationToken cancellationToken) =>
        new(key.Kind, key.KeyId, await key.WrapAsync(ringKey, cancellationToken));

    private Task ReplaceAsync(string keyId, IKeyEncryptionKey? to, IReadOnlyCollection<IKeyEncryptionKey> remaining, CancellationToken cancellationToken)
    {
        var isPlanned = false;
        return ChangeAsync(
            newest =>
            {
                if (isPlanned && to is null && newest.Generation.Wraps.All(wrap => wrap.KeyId != keyId))
                    return new((PlannedKeys?)null);
                isPlanned = true;
                return KeyReplacement.PlanAsync(newest, Log.State.Keys.Epoch, keyId, to, kek, remaining, cancellationToken);
            },
            mendsOlder: false,
            cancellationToken);
    }

    private async Task ChangeAsync(Plan plan, bool mendsOlder, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            await Log.RefreshAsync(cancellationToken);
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                // The number comes before the keys from which the change is made: whatever another process does to them since takes that number.
                var next = await NextNumberAsync(cancellationToken);
                if (mendsOlder)
                    await LoadAsync(cancellationToken);
                else
                    await LoadInForceAsync(cancellationToken);
                if (current.Generation.Number >= next)
                    continue;
                if (await plan(current) is not { } planned || await TryWriteAsync(next, planned, cancellationToken))
                {
                    await RecordAsync(cancellationToken);
                    await folder.DeleteBelowAsync(current.Generation.Number, cancellationToken);
                    return;
                }
            }
        }
        finally
        {
            gate.Release();
        }

        throw new StoreException(StoreErrorKind.Conflict, "Other processes keep changing the vault's keys. Try again when they are done.");
    }

    private async Task<uint> NextNumberAsync(CancellationToken cancellationToken)
    {
        var logged = Log.State.Keys.Generation;
        var taken = await folder.ListAsync(cancellationToken);
        return Math.Max(Math.Max(taken.LastOrDefault(), current.Generation.Number), logged) + 1;
    }

    /// <summary>Writes the next generation and opens it from the storage; false when the change must be planned anew.</summary>
    private async Task<bool> TryWriteAsync(uint number, PlannedKeys planned, CancellationToken cancellationToken)
    {
        var generation = KeyGeneration.Seal(number, planned.Wraps, planned.Ring, planned.RingKey);
        if (await folder.TryWriteAsync(generation, cancellationToken) is null)
            return false;
        var before = kek;
        kek = planned.Kek;
        try
        {
            await LoadAsync(CancellationToken.None);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.WrongKey && before != kek)
        {
            // A later generation is there, and it was not made from this one.
            kek = before;
            return false;
        }

        // With a later one there, the number may have been free again because it was replaced and deleted: then nobody saw this generation.
        if (current.Generation.Number > number)
            return false;
        return current.Generation.Number == number
            ? true
            : throw new StoreException(StoreErrorKind.Corrupt, "The storage did not give back the new keys as they were written. The keys before are still in force.");
    }
}
