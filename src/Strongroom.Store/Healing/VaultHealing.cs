using Strongroom.Store.Blobs;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;
using Strongroom.Store.Scrub;

namespace Strongroom.Store.Healing;

/// <summary>What a healing did.</summary>
/// <param name="Mended">The blobs that were put back.</param>
/// <param name="Problems">What is still wrong; empty when the vault is whole.</param>
public sealed record HealReport(IReadOnlyList<string> Mended, IReadOnlyList<VerifyProblem> Problems);

/// <summary>Puts back what a vault has lost or what rotted in it, from a copy of it.</summary>
public static class VaultHealing
{
    private const int SmallLengthBytes = 1 << 20;

    /// <summary>Heals <c>vault.json</c>, keys, log, relocation tables, and packs in quarantine or missing, in this order. No other process should write to the vault meanwhile.</summary>
    /// <remarks>
    /// Nothing of the replica is believed that does not prove itself under the vault's keys; the replica is only read. Packs that nobody knows to be damaged are
    /// not looked at: scrub before. May be repeated after any failure.
    /// </remarks>
    /// <param name="backend">The vault.</param>
    /// <param name="replica">A copy of the vault, whole or not, of now or of some time ago.</param>
    /// <param name="kek">Opens the vault.</param>
    /// <param name="options">How it is opened.</param>
    /// <param name="time">Times of the log.</param>
    /// <param name="mended">Called with the name of each blob that was put back.</param>
    /// <param name="cancellationToken">What was put back stays.</param>
    /// <exception cref="StoreException">NotFound: there is nothing to heal, or no replica. InvalidRequest: the replica is another vault's. WrongKey; Corrupt, when the
    /// replica lacks the keys, too; Io, Full.</exception>
    public static async Task<HealReport> RunAsync(
        IBlobBackend backend,
        IBlobBackend replica,
        IKeyEncryptionKey kek,
        VaultStoreOptions options,
        TimeProvider time,
        IProgress<string>? mended,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(replica);
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var done = new List<string>();
        void Note(string name)
        {
            done.Add(name);
            mended?.Report(name);
        }

        var vaultId = await HealBirthAsync(backend, replica, kek, Note, cancellationToken);
        using (var keys = await OpenKeysAsync(backend, replica, vaultId, kek, Note, cancellationToken))
        {
            await new LogHealing(backend, replica, keys.Ring, time).RunAsync(Note, cancellationToken);
            await HealKeysInForceAsync(backend, replica, keys, time, Note, cancellationToken);
        }

        await using var vault = await VaultStore.OpenAsync(backend, kek, options, time, cancellationToken);
        var packs = new PackHealing(vault, replica);
        await packs.HealTablesAsync(Note, cancellationToken);
        await packs.HealPacksAsync(Note, cancellationToken);
        var report = await new Verifier(vault, readData: false, null) { Known = packs.Unhealed }.RunAsync(cancellationToken);
        return new(done, report.Problems);
    }

    private static async Task<Guid> HealBirthAsync(
        IBlobBackend backend, IBlobBackend replica, IKeyEncryptionKey kek, Action<string> note, CancellationToken cancellationToken)
    {
        var theirs = await VaultBirth.ReadAsync(replica, cancellationToken);
        StoreException failure;
        try
        {
            if (await VaultBirth.ReadAsync(backend, cancellationToken) == theirs)
                return theirs;

            // A bit that flipped in the id makes another id of it.
            failure = new(StoreErrorKind.InvalidRequest, "The replica is another vault's. Nothing was changed; name a copy of this vault.");
        }
        catch (StoreException unreadable) when (unreadable.Kind is StoreErrorKind.NotFound or StoreErrorKind.Corrupt)
        {
            failure = unreadable;
        }

        // Nothing is made of an empty place: that is a copy, not a healing. And nothing of this vault may lie beside another's.
        if (!await HoldsNameOfAsync(theirs, backend, cancellationToken) && !await HoldsEntryOfAsync(theirs, backend, replica, kek, failure, cancellationToken))
            throw failure;
        var birth = await BlobCopy.ReadTwiceAsync(replica, VaultBirth.Name, SmallLengthBytes, cancellationToken);
        await ReplaceAsync(backend, VaultBirth.Name, birth, cancellationToken);
        note(VaultBirth.Name);
        return theirs;
    }

    /// <summary>An older generation opened that something had left behind: the one that the log names is brought back. Opening compares it with the log.</summary>
    private static async Task HealKeysInForceAsync(
        IBlobBackend backend, IBlobBackend replica, VaultKeys keys, TimeProvider time, Action<string> note, CancellationToken cancellationToken)
    {
        uint inForce;
        using (var log = await VaultLog.OpenAsync(backend, keys.Ring, time, cancellationToken))
            inForce = log.State.Keys.Generation;
        if (inForce <= keys.Generation)
            return;
        var name = new KeyFolder(backend, keys.Ring.VaultId).NameOf(inForce);
        if (await BlobCopy.ReadTwiceAsync(replica, name, SmallLengthBytes, cancellationToken) is not { } content)
            return;
        await ReplaceAsync(backend, name, content, cancellationToken);
        note(name);
    }

    /// <param name="backend">The vault.</param>
    /// <param name="name">What is replaced.</param>
    /// <param name="content">What the replica has; null when it has it no more.</param>
    /// <param name="cancellationToken">May leave nothing under the name; healing again goes on.</param>
    /// <exception cref="StoreException">NotFound: the replica was taken away; nothing was changed.</exception>
    private static async Task ReplaceAsync(IBlobBackend backend, string name, byte[]? content, CancellationToken cancellationToken)
    {
        if (content is not { Length: > 0 })
            throw new StoreException(StoreErrorKind.NotFound, $"The replica has lost '{name}' while the vault was healed from it. Nothing was changed there; heal again from a replica that is at rest.");
        await backend.DeleteAsync(name, cancellationToken);
        await backend.PutIfAbsentAsync(name, content, cancellationToken);
    }

    /// <summary>True when a key generation or a pack is there that names the vault.</summary>
    private static async Task<bool> HoldsNameOfAsync(Guid vaultId, IBlobBackend backend, CancellationToken cancellationToken)
    {
        await foreach (var key in backend.ListAsync(KeyFolder.Prefix, cancellationToken))
        {
            if (KeyFolder.IsOf(key.Name, vaultId))
                return true;
        }

        foreach (var content in (PackContent[])[PackContent.Nodes, PackContent.Data])
        {
            await foreach (var pack in backend.ListAsync(PackFormat.FolderOf(content), cancellationToken))
            {
                var header = new byte[PackFormat.HeaderLengthBytes];
                if (await backend.ReadAsync(pack.Name, 0, header, cancellationToken) == header.Length && PackFormat.VaultIdOf(header) == vaultId)
                    return true;
            }
        }

        return false;
    }

    /// <summary>True when an entry of the log is there that authenticates under the replica's keys: it names no vault, but only this one has it.</summary>
    private static async Task<bool> HoldsEntryOfAsync(
        Guid vaultId, IBlobBackend backend, IBlobBackend replica, IKeyEncryptionKey kek, StoreException failure, CancellationToken cancellationToken)
    {
        VaultKeys? keys = null;
        try
        {
            await foreach (var blob in backend.ListAsync("log/", cancellationToken))
            {
                if (LogEntry.ParseName(blob.Name) is not { } sequence)
                    continue;
                keys ??= await VaultKeys.OpenAsync(replica, vaultId, kek, cancellationToken);
                if (await BlobCopy.ReadAsync(backend, blob.Name, LogEntry.GreatestLengthBytes, cancellationToken) is { } bytes
                    && LogEntry.TryOpen(keys.Ring, sequence, bytes, out _))
                    return true;
            }

            return false;
        }
        catch (StoreException unopened) when (unopened.Kind == StoreErrorKind.WrongKey && failure.Kind == StoreErrorKind.InvalidRequest)
        {
            // The key may well be this vault's: that the replica is another's says more.
            return false;
        }
        finally
        {
            ((IDisposable?)keys)?.Dispose();
        }
    }

    private static async Task<VaultKeys> OpenKeysAsync(
        IBlobBackend backend, IBlobBackend replica, Guid vaultId, IKeyEncryptionKey kek, Action<string> note, CancellationToken cancellationToken)
    {
        try
        {
            return await VaultKeys.OpenAsync(backend, vaultId, kek, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.Corrupt or StoreErrorKind.WrongKey)
        {
            // A key that was taken away opens an old copy. It must not bring that copy back: only the same generation replaces a damaged one, and
            // an older one in an empty folder is refused by the log.
            string name;
            using (var theirs = await VaultKeys.OpenAsync(replica, vaultId, kek, cancellationToken))
                name = theirs.BlobName;
            var isThere = await BlobCopy.ReadAsync(backend, name, SmallLengthBytes, cancellationToken) is not null;
            if (failure.Kind == StoreErrorKind.WrongKey && !isThere)
                throw;
            var content = await BlobCopy.ReadTwiceAsync(replica, name, SmallLengthBytes, cancellationToken);
            await ReplaceAsync(backend, name, content, cancellationToken);
            note(name);
            return await VaultKeys.OpenAsync(backend, vaultId, kek, cancellationToken);
        }
    }
}
