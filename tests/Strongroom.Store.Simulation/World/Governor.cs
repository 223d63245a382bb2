namespace Strongroom.Store.Simulation.World;

/// <summary>What a process does about deletion, locks and keys, and what is promised by it.</summary>
internal sealed class Governor(SimulatedWorld world)
{
    public const int SoftDeleteDays = 14;

    private static CancellationToken None => CancellationToken.None;

    public async Task DeleteAsync(VaultStore open, Promise promise)
    {
        if (!promise.IsDeletionTried)
            promise.DeletionTriedAt = world.Clock.GetUtcNow();
        promise.IsDeletionTried = true;
        promise.IsPurgeTried |= !world.HasSoftDelete;
        var lockedUntil = promise.LockedUntil;
        try
        {
            if (await open.DeleteSnapshotAsync(promise.Id, None) && world.Clock.GetUtcNow() < lockedUntil)
                world.JudgeDamage($"Snapshot {promise.Id} was deleted though it is locked until {lockedUntil}.");
            promise.IsDeletionPromised = true;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Locked && promise.LockedUntil > DateTimeOffset.MinValue)
        {
            // As it must be.
        }
    }

    public async Task UndeleteAsync(VaultStore open)
    {
        var deleted = open.Governance.SoftDeleted.OrderBy(one => one.Snapshot.LogSequence).ToList();
        if (deleted.Count == 0)
            return;
        var promise = world.Ledger.Find(deleted[world.Random.Next(deleted.Count)].Snapshot.Id)!;
        promise.IsUndeletionTried = true;
        await open.Governance.UndeleteAsync(promise.Id, None);
    }

    public async Task PurgeAsync(VaultStore open)
    {
        // From how the seconds run until the entry is decided, nobody outside can tell which are due.
        foreach (var promise in world.Ledger.All.Where(promise => promise.IsDeletionTried && promise.DeletionTriedAt.AddDays(SoftDeleteDays - 1) <= world.Clock.GetUtcNow()))
            promise.IsPurgeTried = true;
        await open.Governance.PurgeAsync(None);
    }

    public async Task LockAsync(VaultStore open, Snapshot? snapshot)
    {
        if (snapshot is null)
            return;
        var promise = world.Ledger.Find(snapshot.Id)!;
        var until = world.Clock.GetUtcNow().AddMinutes(world.Random.Next(1, 3));
        var before = promise.LockedUntil;

        // A lock that fails may hold nevertheless; one that holds is promised.
        promise.LockedUntil = before > DateTimeOffset.MinValue ? before : DateTimeOffset.MinValue.AddTicks(1);
        try
        {
            await open.Governance.LockAsync(snapshot.Id, until, None);
            promise.LockedUntil = until > promise.LockedUntil ? until : promise.LockedUntil;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Locked)
        {
            // It is locked for longer.
        }
    }

    public async Task ChangeKeysAsync(VaultStore open)
    {
        IReadOnlyList<MasterKeyFile> others = [SimulatedWorld.OtherKey, SimulatedWorld.ThirdKey];
        var (one, another) = world.Random.Next(2) == 0 ? (others[0], others[1]) : (others[1], others[0]);
        try
        {
            switch (world.Random.Next(4))
            {
                case 0:
                    await open.Keys.RotateAsync(None);
                    break;
                case 1:
                    await open.Keys.AddWrapAsync(one, None);
                    break;
                case 2:
                    await open.Keys.RewrapAsync(one.KeyId, another, others, None);
                    break;
                default:
                    await open.Keys.RemoveWrapAsync(one.KeyId, others, None);
                    break;
            }
        }
        catch (StoreException failure) when (failure.Kind is StoreErrorKind.NotFound)
        {
            // That key does not open the vault at present.
        }
    }
}
