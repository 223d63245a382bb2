using System.Globalization;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation.PowerCut;

/// <summary>A real process on a real folder, which says on its standard output what the store has promised it.</summary>
/// <remarks>Lines: <c>commit ID DISK</c> after a commit, <c>delete ID</c> before a deletion.</remarks>
internal static class Workload
{
    private static readonly VaultStoreOptions Options = new() { PackSizeBytes = 256 << 10, IndexBufferRecords = 16, Workers = 2 };

    /// <summary>The disk of this number, the same in every process.</summary>
    public static DiskModel Disk(int number) => DiskModel.Choose(new Random(number));

    /// <summary>Goes through the whole life of a vault once, or from <paramref name="first"/> on for ever.</summary>
    public static async Task<int> RunAsync(string folder, int first, bool isEndless)
    {
        using var backend = new LocalBackend(folder);
        await using var vault = await VaultStore.ExistsAsync(backend, CancellationToken.None)
            ? await VaultStore.OpenAsync(backend, SimulatedWorld.Key, Options, TimeProvider.System, CancellationToken.None)
            : await VaultStore.CreateAsync(backend, SimulatedWorld.Key, Options, TimeProvider.System, CancellationToken.None);
        for (var number = first; isEndless || number < first + 5; number++)
        {
            await BackUpAsync(vault, number);
            if (vault.Snapshots.Count < 3)
                continue;
            var oldest = vault.Snapshots.MinBy(snapshot => snapshot.LogSequence)!;
            Say($"delete {oldest.Id}");
            await vault.DeleteSnapshotAsync(oldest.Id, CancellationToken.None);
            await vault.CollectAsync([.. vault.Snapshots.Select(snapshot => snapshot.Id)], new() { Grace = TimeSpan.Zero, GreatestShareToCompact = 1 }, CancellationToken.None);
        }

        return 0;
    }

    private static async Task BackUpAsync(VaultStore vault, int number)
    {
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(new ModelSource(Disk(number), null), null, null, CancellationToken.None);
        var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "vm", Images = [new(0, "disk", image)] };
        await session.CommitAsync(draft, CancellationToken.None);
        Say(string.Create(CultureInfo.InvariantCulture, $"commit {draft.Id} {number}"));
    }

    private static void Say(string promise)
    {
        Console.WriteLine(promise);
        Console.Out.Flush();
    }
}
