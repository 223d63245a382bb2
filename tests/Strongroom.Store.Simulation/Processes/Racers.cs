using System.Globalization;
using Strongroom.Store.Simulation.PowerCut;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation.Processes;

/// <summary>One of several processes that work on a vault at the same time, each at one thing, until somebody ends it.</summary>
/// <remarks>Lines on the standard output are those of <see cref="Workload"/>. What loses a race is begun again; any other failure ends the process.</remarks>
internal static class Racers
{
    private static readonly VaultStoreOptions Options = new() { PackSizeBytes = 256 << 10, IndexBufferRecords = 16, Workers = 1, JournalLeaves = 1 };

    private static CancellationToken None => CancellationToken.None;

    /// <summary>What may be done.</summary>
    public static IReadOnlyList<string> All { get; } = ["backup", "purge", "gc", "scrub"];

    /// <param name="role">One of <see cref="All"/>.</param>
    /// <param name="folder">The vault, which is there.</param>
    /// <param name="seed">Chooses the disks.</param>
    public static async Task<int> RunAsync(string role, string folder, int seed)
    {
        using var backend = new LocalBackend(folder);
        var random = new Random(seed);
        while (true)
        {
            await using var vault = await VaultStore.OpenAsync(backend, SimulatedWorld.Key, Options, TimeProvider.System, None);
            for (var turn = random.Next(1, 12); turn > 0; turn--)
            {
                try
                {
                    await DoAsync(role, vault, random);
                }
                catch (StoreException failure) when (failure.Kind == StoreErrorKind.Conflict || failure is { Kind: StoreErrorKind.NotFound, IsBlobMissing: false })
                {
                    // Another was faster: a deletion took the parent, a collection what was found by deduplication.
                }
            }
        }
    }

    private static Task DoAsync(string role, VaultStore vault, Random random) => role switch
    {
        "backup" => BackUpAsync(vault, random),
        "purge" => PurgeAsync(vault, random),
        "gc" => vault.CollectAsync(null, new() { Grace = random.Next(3) == 0 ? TimeSpan.FromMilliseconds(50) : TimeSpan.Zero, CompactBelow = 0.9, GreatestShareToCompact = 1 }, None),
        "scrub" => vault.ScrubAsync(new() { Deep = true }, null, None),
        _ => throw new ArgumentException($"There is no racer '{role}'.", nameof(role)),
    };

    private static async Task BackUpAsync(VaultStore vault, Random random)
    {
        // Few disks, so that most of what is stored was stored before, or is being removed.
        var number = random.Next(12);
        var parent = vault.Snapshots.MaxBy(snapshot => snapshot.LogSequence)?.Images[0].Image;
        var disk = Workload.Disk(number);
        await using var session = await vault.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(new ModelSource(disk, null), parent is { } known && random.Next(2) == 0 ? known : null, null, None);
        var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "vm", Images = [new(0, "disk", image)] };
        await session.CommitAsync(draft, None);
        Say(string.Create(CultureInfo.InvariantCulture, $"commit {draft.Id} {number}"));
    }

    /// <summary>Deletes all but the newest few, and purges what was deleted: with soft delete of no days at once.</summary>
    private static async Task PurgeAsync(VaultStore vault, Random random)
    {
        await Task.Delay(random.Next(50), None);
        await vault.Governance.PurgeAsync(None);
        foreach (var snapshot in vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence).SkipLast(2).ToList())
        {
            Say($"delete {snapshot.Id}");
            await vault.Governance.DeleteAsync(snapshot.Id, None);
        }
    }

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
