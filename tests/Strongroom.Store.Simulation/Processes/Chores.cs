using Strongroom.Store.Copies;
using Strongroom.Store.Healing;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation.Processes;

/// <summary>Work on a vault in a real folder beside backups, again and again until somebody ends the process.</summary>
/// <remarks>Lines on the standard output: <c>ready</c> once the vault is open, <c>delete ID</c> before a deletion.</remarks>
internal static class Chores
{
    private static CancellationToken None => CancellationToken.None;

    /// <summary>What may be done.</summary>
    public static IReadOnlyList<string> All { get; } = ["gc", "scrub", "heal", "rotate", "copy", "prune"];

    /// <param name="chore">One of <see cref="All"/>.</param>
    /// <param name="folder">The vault.</param>
    /// <param name="copy">Where copies go and healing comes from.</param>
    public static async Task<int> RunAsync(string chore, string folder, string copy)
    {
        using var backend = new LocalBackend(folder);
        using var replica = new LocalBackend(copy);
        Say("ready");
        while (true)
        {
            if (chore == "heal")
            {
                await HealAsync(backend, replica);
                continue;
            }

            await using var vault = await OpenAsync(backend);
            await DoAsync(chore, vault, backend, replica);
        }
    }

    /// <summary>Looks for damage, then puts back what was found.</summary>
    public static async Task<HealReport> HealAsync(IBlobBackend backend, IBlobBackend replica)
    {
        await using (var vault = await OpenAsync(backend))
            await vault.ScrubAsync(new(), null, None);
        return await VaultHealing.RunAsync(backend, replica, SimulatedWorld.Key, new() { Workers = 1 }, TimeProvider.System, null, None);
    }

    private static Task<VaultStore> OpenAsync(IBlobBackend backend) =>
        VaultStore.OpenAsync(backend, SimulatedWorld.Key, new() { Workers = 1 }, TimeProvider.System, None);

    private static async Task DoAsync(string chore, VaultStore vault, IBlobBackend backend, IBlobBackend replica)
    {
        switch (chore)
        {
            case "gc":
                await vault.CollectAsync(
                    [.. vault.Snapshots.Select(snapshot => snapshot.Id)], new() { Grace = TimeSpan.Zero, CompactBelow = 0.9, GreatestShareToCompact = 1 }, None);
                break;
            case "scrub":
                await vault.ScrubAsync(new() { Deep = true }, null, None);
                break;
            case "rotate":
                await vault.Keys.RotateAsync(None);
                break;
            case "copy":
                await VaultCopy.RunAsync(backend, replica, new() { MayRemove = vault.IsSwept }, null, None);
                break;
            case "prune":
                foreach (var snapshot in vault.Snapshots.OrderBy(snapshot => snapshot.LogSequence).SkipLast(1).ToList())
                {
                    Say($"delete {snapshot.Id}");
                    await vault.DeleteSnapshotAsync(snapshot.Id, None);
                }

                break;
            default:
                throw new ArgumentException($"There is no chore '{chore}'.", nameof(chore));
        }
    }

    private static void Say(string line)
    {
        Console.WriteLine(line);
        Console.Out.Flush();
    }
}
