using Strongroom.Store.Copies;
using Strongroom.Store.Healing;
using Strongroom.Store.Packs;
using Strongroom.Store.Simulation.Storage;

namespace Strongroom.Store.Simulation.World;

/// <summary>What is promised about copies of a vault, and about a vault that is healed from one.</summary>
internal sealed class Replicas(SimulatedWorld world)
{
    private const int GreatestTries = 12;

    private static CancellationToken None => CancellationToken.None;

    /// <summary>Whatever became of the processes that copied: there is no vault, or one that opens and restores what it lists.</summary>
    public async Task RequireAnyAsync()
    {
        var storage = world.Replica.Clone();
        if (!await VaultStore.ExistsAsync(world.NewQuietDoor(storage), None))
            return;
        try
        {
            await RequireRestoresAsync(storage);
        }
        catch (StoreException failure) when (failure.IsDamage)
        {
            // The copy of something that was damaged by then, even if the vault has swept it since.
            world.JudgeDamage(failure.ToString());
        }
    }

    /// <summary>A copy goes on from wherever it was left, and then is as good as the vault.</summary>
    public async Task RequireCopyAsync(VaultStore vault)
    {
        var report = await VaultCopy.RunAsync(
            world.NewQuietDoor(world.Storage), world.NewQuietDoor(world.Replica), new() { MayRemove = vault.IsSwept }, null, None);
        if (report.Problems.Count > 0)
            throw new BrokenPromiseException($"Nothing is damaged, but a copy reports: {string.Join('\n', report.Problems)}");
        var lost = vault.Snapshots.Select(snapshot => snapshot.Id).Except(await RequireRestoresAsync(world.Replica.Clone())).ToList();
        if (lost.Count > 0)
            throw new BrokenPromiseException($"A copy has lost snapshot {lost[0]}.");
    }

    /// <summary>Some blobs are damaged or lost; a scrub tells which packs, and healing, by processes that die of it, brings all of it back.</summary>
    public async Task RequireHealingAsync()
    {
        var damaged = Damage();

        // Where the log or a relocation table is damaged, a pack may look missing that was swept.
        var isExact = !damaged.Any(name => name.StartsWith("log/", StringComparison.Ordinal) || name.StartsWith("gc/", StringComparison.Ordinal));
        await RequireScrubTellsAsync(isExact, [.. damaged.Select(name => PackFormat.ParseName(name)).OfType<uint>()]);
        for (var attempt = 0; attempt < GreatestTries && await TryHealAsync(world.NewDyingDoor()) is null; attempt++)
            world.Record("healing died");

        // Where it did not open before, nobody knows yet which packs are damaged.
        await HealAsync();
        await using (var vault = await OpenAsync())
            await vault.ScrubAsync(new(), null, None);
        var report = await HealAsync();
        if (report.Problems.Count > 0)
            throw new BrokenPromiseException($"The copy is whole, but healing from it leaves: {string.Join('\n', report.Problems)}");
        foreach (var name in damaged)
            world.Storage.Forgive(name);
        await RequireRestoresAsync(world.Storage);
    }

    private async Task<HealReport> HealAsync() =>
        await TryHealAsync(world.NewQuietDoor(world.Storage)) ?? throw new InvalidOperationException("A process died of nothing.");

    /// <summary>Null when the process died of it.</summary>
    private async Task<HealReport?> TryHealAsync(Door door)
    {
        try
        {
            return await VaultHealing.RunAsync(
                door, world.NewQuietDoor(world.Replica), SimulatedWorld.Key, world.Options, world.Clock, null, None);
        }
        catch (StoreException) when (door.IsDead)
        {
            return null;
        }
    }

    /// <summary>A scrub names what is damaged of what is there, and no pack that is not.</summary>
    private async Task RequireScrubTellsAsync(bool isExact, HashSet<uint> damaged)
    {
        HashSet<uint> reported;
        await using (var vault = await TryOpenAsync())
        {
            if (vault is null)
                return;
            var report = await vault.ScrubAsync(new() { Deep = world.Random.Next(2) == 0 }, null, None);
            reported = [.. report.Damaged.Select(pack => pack.Pack)];
            damaged.RemoveWhere(vault.IsSwept);
        }

        if (isExact && reported.FirstOrDefault(pack => !damaged.Contains(pack)) is > 0 and var stranger)
            throw new BrokenPromiseException($"Pack {stranger:x8} is in quarantine, but was not damaged.");
        var present = damaged.Where(pack => world.Storage.Names.Any(name => PackFormat.ParseName(name) == pack));
        if (present.FirstOrDefault(pack => !reported.Contains(pack)) is > 0 and var missed)
            throw new BrokenPromiseException($"Pack {missed:x8} is damaged, and a scrub does not say so.");
    }

    /// <summary>Null where so much is damaged that the vault does not open before it is healed.</summary>
    private async Task<VaultStore?> TryOpenAsync()
    {
        try
        {
            return await OpenAsync();
        }
        catch (StoreException)
        {
            return null;
        }
    }

    private Task<VaultStore> OpenAsync() =>
        VaultStore.OpenAsync(world.NewQuietDoor(world.Storage), SimulatedWorld.Key, world.Options, world.Clock, None);

    private HashSet<string> Damage()
    {
        var damaged = new HashSet<string>(StringComparer.Ordinal);
        for (var i = world.Random.Next(1, 5); i > 0; i--)
        {
            var name = world.Storage.Names[world.Random.Next(world.Storage.Names.Count)];
            world.Record($"damage {SimulatedStorage.StableName(name)}");
            damaged.Add(name);

            // A bit of vault.json may make another version of it, which nobody may replace by an older one.
            if (world.Random.Next(3) == 0 || name == "vault.json")
            {
                world.Storage.Delete(name);
                world.Storage.Sync(name);
            }
            else
            {
                world.Storage.Damage(name, world.Random);
            }
        }

        return damaged;
    }

    /// <summary>The snapshots in some storage, each of which was restored.</summary>
    private async Task<IReadOnlyList<SnapshotId>> RequireRestoresAsync(SimulatedStorage storage)
    {
        await using var vault = await VaultStore.OpenAsync(world.NewQuietDoor(storage), SimulatedWorld.Key, world.Options, world.Clock, None);
        var snapshots = vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence).ToList();
        foreach (var snapshot in snapshots)
        {
            var promise = world.Ledger.Find(snapshot.Id) ?? throw new BrokenPromiseException($"Nobody tried to commit snapshot {snapshot.Id}.");
            await world.RequireRestoresAsync(vault, snapshot, promise);
        }

        return [.. snapshots.Select(snapshot => snapshot.Id)];
    }
}
