using Strongroom.Store.Keys;
using Strongroom.Store.Log;

namespace Strongroom.Store;

public sealed partial class VaultKeys
{
    /// <summary>Compares the keys with the log, and finishes a change that died half-way.</summary>
    /// <exception cref="StoreException">NotFound: the keys were erased. Corrupt: <c>keys/</c> was put back to an older generation, or its blob exchanged.</exception>
    internal async Task JoinAsync(VaultLog vaultLog, VaultGovernance vaultGovernance, bool acceptsOlder, CancellationToken cancellationToken)
    {
        log = vaultLog;
        governance = vaultGovernance;
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (Log.State.Keys.IsErased)
                await FinishErasureAsync(cancellationToken);
            if (IsOlder)
                await LoadAsync(cancellationToken);
            if (IsOlder && acceptsOlder)
                return;
            RequireInForce();

            // Over a damaged log nothing is appended that is not needed, and nothing deleted.
            if (Log.Damage.Count > 0)
                return;
            await TryFinishAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Takes over what other processes changed, as far as the log was read, and enters a change whose entry is still missing: nothing is sealed under keys that the log does not know.</summary>
    /// <exception cref="StoreException">WrongKey: the key that opened this vault was removed. Corrupt: the generation in force is not there. Full, AccessDenied: the entry cannot be made.</exception>
    internal async ValueTask FollowAsync(CancellationToken cancellationToken)
    {
        if (!IsOlder && !MissesEntry)
            return;
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (IsOlder)
                await LoadInForceAsync(cancellationToken);
            if (MissesEntry)
                await RecordAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>A change died before its entry. Over a damaged log nothing is appended that is not needed.</summary>
    private bool MissesEntry => current.Generation.Number > Log.State.Keys.Generation && Log.Damage.Count == 0;

    /// <summary>Finishes a change that died half-way: its entry, then the removal of what it replaced. Who may only read, or finds no room for the entry, opens the vault all the same.</summary>
    private async Task TryFinishAsync(CancellationToken cancellationToken)
    {
        var isRecorded = false;
        try
        {
            await RecordAsync(cancellationToken);
            isRecorded = true;
            await folder.DeleteBelowAsync(current.Generation.Number, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.AccessDenied or StoreErrorKind.Full || (isRecorded && failure.Kind == StoreErrorKind.Io))
        {
            // The next backup tries again and fails without it; restores, and deletions that make room, go on.
        }
    }

    private async Task ReloadAsync(CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            await LoadAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        var newest = await KeyOpening.OpenNewestAsync(folder, Ring.VaultId, kek, cancellationToken);
        if (newest.Generation.Number < current.Generation.Number)
            return;
        Ring.Adopt(newest.Ring);
        current = newest;
    }

    /// <summary>Loads the newest generation, and makes sure that it is not older than the log says.</summary>
    private async Task LoadInForceAsync(CancellationToken cancellationToken)
    {
        uint logged;
        do
        {
            logged = Log.State.Keys.Generation;
            await LoadAsync(cancellationToken);
        }
        while (IsOlder && Log.State.Keys.Generation > logged);
        RequireInForce();
    }

    /// <summary>Enters the generation in the log, if it is not there yet.</summary>
    private async Task RecordAsync(CancellationToken cancellationToken)
    {
        // Who wrote it may have died between showing it and syncing its folder; what the log names must last.
        if (Log.State.Keys.Generation < current.Generation.Number)
            await folder.SyncAsync(cancellationToken);
        var payload = new PayloadWriter().UInt32(current.Generation.Number).Raw(current.Digest).UInt32(Ring.CurrentEpoch).ToArray();
        await Log.AppendAsync(LogEntryType.Key, _ => Log.State.Keys.Generation >= current.Generation.Number ? null : payload, cancellationToken);

        // Another process may have built upon it, and logged that first.
        if (IsOlder)
            await LoadInForceAsync(cancellationToken);
        else
            RequireInForce();
    }

    private void RequireInForce()
    {
        var state = Log.State.Keys;
        var number = current.Generation.Number;
        if (number < state.Generation)
        {
            throw new StoreException(
                StoreErrorKind.Corrupt,
                $"The vault's keys are of generation {number}, but the log says that generation {state.Generation} is in force: keys/ was put back to an older state, "
                + "or lost its newest blob. Restore that folder from the newest copy of the vault.");
        }

        if (number == state.Generation && !current.Digest.AsSpan().SequenceEqual(state.Digest))
        {
            throw new StoreException(
                StoreErrorKind.Corrupt, $"Generation {number} of the vault's keys is not the one that the log names: keys/ was tampered with. Restore that folder from a copy of the vault.");
        }
    }

    private async Task FinishErasureAsync(CancellationToken cancellationToken)
    {
        await folder.DeleteAllAsync(cancellationToken);
        throw new StoreException(StoreErrorKind.NotFound, "The vault's keys were destroyed on purpose. Nothing can be read; delete the rest of the vault.");
    }
}
