using Strongroom.Store.Log;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Simulation.World;

/// <summary>Everything is opened anew with faults off, and every promise is looked at.</summary>
internal sealed class Aftermath(SimulatedWorld world)
{
    private readonly Replicas replicas = new(world);

    private bool IsDamaged => world.Storage.Damaged.Count > 0;

    private IEnumerable<string> DamagedPacks => world.Storage.Damaged.Where(name => IsPack(name)).Order(StringComparer.Ordinal);

    private IEnumerable<string> DamagedEntries => world.Storage.Damaged.Where(name => name.StartsWith("log/", StringComparison.Ordinal));

    public async Task CheckAsync()
    {
        await replicas.RequireAnyAsync();
        await using (var vault = await OpenAsync())
        {
            RequireSnapshots(vault);
            await BringBackAsync(vault);
            await RequireQuarantineAsync(vault);
            await RequireRestoresAsync(vault);
            await RequireNewBackupAsync(vault);
            if (DamagedEntries.Any())
                await RequireNoCollectionAsync(vault);
            if (IsDamaged)
                return;
            await replicas.RequireCopyAsync(vault);
        }

        await replicas.RequireHealingAsync();
        await using (var vault = await OpenAsync())
            await RequireCollectionAsync(vault);
    }

    private Task<VaultStore> OpenAsync() =>
        VaultStore.OpenAsync(world.NewDoor("after"), SimulatedWorld.Key, world.Options, world.Clock, CancellationToken.None);

    /// <summary>In quarantine, after a scrub, is what is damaged and nothing else.</summary>
    private async Task RequireQuarantineAsync(VaultStore vault)
    {
        var report = await vault.ScrubAsync(new(), null, CancellationToken.None);
        if (!IsDamaged && !report.IsHealthy)
            throw new BrokenPromiseException($"Nothing is damaged, but a scrub reports: {string.Join('\n', report.Damaged.Select(pack => pack.What))}");
    }

    private static bool IsPack(string name) =>
        name.StartsWith("packs/", StringComparison.Ordinal) || name.StartsWith("meta/", StringComparison.Ordinal);

    private void RequireSnapshots(VaultStore vault)
    {
        foreach (var promise in world.Ledger.All)
        {
            var isThere = vault.Find(promise.Id) is not null;
            if (promise.IsOwed && !isThere && !world.Storage.Damaged.Contains(LogEntry.NameOf(promise.LogSequence!.Value)))
                throw new BrokenPromiseException($"Snapshot {promise.Id}, committed as log entry {promise.LogSequence}, is lost.");
            if (promise.IsContentOwed && !isThere && !DamagedEntries.Any() && vault.Governance.SoftDeleted.All(deleted => deleted.Snapshot.Id != promise.Id))
                throw new BrokenPromiseException($"Snapshot {promise.Id} was deleted, and cannot be brought back though its time has not come.");
            if (promise.IsDeletionPromised && !promise.IsUndeletionTried && isThere && !DamagedEntries.Any())
                throw new BrokenPromiseException($"Snapshot {promise.Id} is back from the dead.");
        }

        if (vault.Snapshots.FirstOrDefault(snapshot => world.Ledger.Find(snapshot.Id) is null) is { } stranger)
            throw new BrokenPromiseException($"Nobody tried to commit snapshot {stranger.Id}.");
    }

    /// <summary>What can be brought back must restore like everything else.</summary>
    private async Task BringBackAsync(VaultStore vault)
    {
        foreach (var deleted in vault.Governance.SoftDeleted.OrderBy(deleted => deleted.Snapshot.LogSequence))
        {
            if (world.Random.Next(2) == 0)
                await vault.Governance.UndeleteAsync(deleted.Snapshot.Id, CancellationToken.None);
        }
    }

    /// <summary>What verification calls sound restores byte for byte; what it calls damaged was damaged.</summary>
    private async Task RequireRestoresAsync(VaultStore vault)
    {
        var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
        var reported = report.Problems.SelectMany(problem => problem.Snapshots).ToHashSet();
        foreach (var snapshot in vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence))
        {
            var promise = world.Ledger.Find(snapshot.Id)!;
            try
            {
                await world.RequireRestoresAsync(vault, snapshot, promise);
            }
            catch (StoreException failure) when (
                failure.IsDamage && reported.Contains(snapshot.Id) && (DamagedPacks.Any() || (promise.IsDeletionTried && DamagedEntries.Any())))
            {
                // Damaged where we damaged it, and said so; or deleted by an entry that we damaged.
            }
        }

        if (!IsDamaged && !report.IsHealthy)
            throw new BrokenPromiseException($"Nothing is damaged, but verification reports: {string.Join('\n', report.Problems)}");
        foreach (var name in DamagedPacks)
        {
            // One that a SWEEP took is gone for the store, though a power cut may have brought the file back.
            var number = name[(name.LastIndexOf('/') + 1)..];
            if (PackFormat.ParseName(name) is { } packSeq && vault.Log.State.Collection.IsSwept(packSeq))
                continue;
            if (!report.Problems.Any(problem => problem.What.Contains($"ack {number}", StringComparison.Ordinal)))
                throw new BrokenPromiseException($"{name} is damaged, and verification does not say so: {string.Join('\n', report.Problems)}");
        }

        if (DamagedEntries.Any() && report.Problems.All(problem => !problem.What.Contains("log entr", StringComparison.Ordinal)))
            throw new BrokenPromiseException($"{DamagedEntries.First()} is damaged, and verification does not say so.");
    }

    private async Task RequireNewBackupAsync(VaultStore vault)
    {
        var disk = DiskModel.Choose(world.Random);
        Snapshot snapshot;
        await using (var session = await vault.OpenSessionAsync(CancellationToken.None))
        {
            var image = await session.WriteImageAsync(new ModelSource(disk, null), null, null, CancellationToken.None);
            var draft = new SnapshotDraft { Id = new(world.NewGuid()), ItemId = "after", Images = [new(0, "disk", image)] };
            world.Ledger.Add(draft.Id, [disk], []);
            snapshot = await session.CommitAsync(draft, CancellationToken.None);
            world.Ledger.Find(draft.Id)!.LogSequence = snapshot.LogSequence;
        }

        if (!IsDamaged)
            await world.RequireRestoresAsync(vault, snapshot, world.Ledger.Find(snapshot.Id)!);
    }

    private async Task RequireNoCollectionAsync(VaultStore vault)
    {
        try
        {
            await vault.CollectAsync([], new() { Grace = TimeSpan.Zero, CompactBelow = 0.9, GreatestShareToCompact = 1 }, CancellationToken.None);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            return;
        }

        throw new BrokenPromiseException("A collection went on though the log is damaged.");
    }

    /// <summary>Garbage goes, what lives stays, in any order of deletion.</summary>
    private async Task RequireCollectionAsync(VaultStore vault)
    {
        while (true)
        {
            // Until every lock and every soft delete has run out.
            await Task.Delay(TimeSpan.FromDays(Governor.SoftDeleteDays + 1), world.Clock, CancellationToken.None);
            await vault.Governance.PurgeAsync(CancellationToken.None);
            await vault.CollectAsync([.. vault.Snapshots.Select(snapshot => snapshot.Id)], new() { Grace = TimeSpan.Zero, CompactBelow = 0.9, GreatestShareToCompact = 1 }, CancellationToken.None);
            var live = vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence).ToList();
            foreach (var snapshot in live)
                await world.RequireRestoresAsync(vault, snapshot, world.Ledger.Find(snapshot.Id)!);
            if (live.Count == 0 && vault.Governance.SoftDeleted.Count == 0)
                break;
            foreach (var snapshot in live.Where((_, i) => i == 0 || live.Count < 3 || world.Random.Next(2) == 0))
                await vault.DeleteSnapshotAsync(snapshot.Id, CancellationToken.None);
        }

        if (world.Storage.Names.FirstOrDefault(IsPack) is { } garbage)
            throw new BrokenPromiseException($"No snapshot is left, but {garbage} is still there after a collection.");
    }
}
