using Strongroom.Store.Governance;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store;

public sealed partial class VaultStore
{
    /// <summary>True when a vault is in the backend.</summary>
    public static async Task<bool> ExistsAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return await backend.GetLengthAsync(VaultBirth.Name, cancellationToken) is not null;
    }

    /// <summary>Makes a vault and opens it.</summary>
    /// <exception cref="StoreException">AlreadyExists when one is there; Corrupt when one is there that lost its vault.json.</exception>
    public static async Task<VaultStore> CreateAsync(
        IBlobBackend backend, IKeyEncryptionKey kek, VaultStoreOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (await ExistsAsync(backend, cancellationToken))
            throw AlreadyExists();
        await RequireVacantAsync(backend, cancellationToken);

        // Step 1: keys, under a name of this vault's own, so that the leftovers of a creation that died do no harm.
        var ring = KeyRing.Generate(Guid.NewGuid());
        await VaultKeys.CreateAsync(backend, ring, kek, cancellationToken);

        // Step 2: the birth certificate. From here the vault exists. The log's first entry follows at opening.
        if (!await VaultBirth.TryWriteAsync(backend, ring.VaultId, time.GetUtcNow(), cancellationToken))
            throw AlreadyExists();
        return await OpenAsync(backend, kek, options, time, cancellationToken);
    }

    /// <summary>Opens a vault.</summary>
    /// <exception cref="StoreException">NotFound, WrongKey, Corrupt, Unsupported, Io.</exception>
    public static async Task<VaultStore> OpenAsync(
        IBlobBackend backend, IKeyEncryptionKey kek, VaultStoreOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(kek);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        var vaultId = await VaultBirth.ReadAsync(backend, cancellationToken);
        var keys = await VaultKeys.OpenAsync(backend, vaultId, kek, cancellationToken);
        await backend.RemoveLeftoversAsync(cancellationToken);
        var log = await VaultLog.OpenAsync(backend, keys.Ring, time, cancellationToken);
        var clock = new ClockGuard(time, options.GuardsClock, log.State.Clock);
        var vault = new VaultStore(backend, keys, log, new(log, clock), options);
        try
        {
            vault.covered = await vault.Index.LoadAsync(cancellationToken);
            await vault.RefreshPacksAsync(cancellationToken);
            vault.covered = [];
            await vault.RequireBeginningAsync(cancellationToken);
            await keys.JoinAsync(log, vault.Governance, options.AcceptsOlderKeys, cancellationToken);
            return vault;
        }
        catch
        {
            await vault.DisposeAsync();
            throw;
        }
    }

    private static StoreException AlreadyExists() =>
        new(StoreErrorKind.AlreadyExists, "A vault is here already. Open it, or choose an empty place.");

    /// <summary>Where a log or packs lie without their vault.json, it was lost; another in its place would shut out the right one when it comes back.</summary>
    private static async Task RequireVacantAsync(IBlobBackend backend, CancellationToken cancellationToken)
    {
        foreach (var folder in (string[])["log/", PackFormat.FolderOf(PackContent.Data), PackFormat.FolderOf(PackContent.Nodes)])
        {
            await foreach (var blob in backend.ListAsync(folder, cancellationToken))
                throw StoreException.Corrupt($"vault.json is missing though '{blob.Name}' is there: restore that file from a copy of the vault");
        }
    }

    /// <summary>A log without a beginning is new, or lost; lost is told by packs, and must not lead to their collection.</summary>
    private async Task RequireBeginningAsync(CancellationToken cancellationToken)
    {
        if (Log.Head > 0)
            return;

        // Another process may have begun it since the log was read, and may have packs already.
        await Log.RefreshAsync(cancellationToken);
        if (Log.Head > 0)
            return;
        if (PackSet.Count > 0)
            throw StoreException.Corrupt("The vault's log (log/) is missing though packs are there: restore that folder from a copy of the vault");
        await Log.AppendAsync(
            LogEntryType.Genesis,
            _ => Log.Head > 0 ? null : new PayloadWriter().Guid(VaultId).UInt32(Packs.Ring.CurrentEpoch).ToArray(),
            cancellationToken);
    }
}
