using System.Diagnostics;
using System.Globalization;
using Strongroom.Store.Tests.Fakes;
using Strongroom.Store.Tests.Trees.Truth;

namespace Strongroom.Store.Tests.Trees;

/// <summary>Processes that back up and restore trees are killed at random moments, again and again.</summary>
public sealed class TreeKillTests
{
    private const int UsualRounds = 50;
    private static readonly VaultStoreOptions Options = TestVault.Small with { PackSizeBytes = 4 << 20, IndexBufferRecords = 512 };

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public Task What_was_committed_is_whole_and_the_next_backup_is_right_wherever_the_last_was_killed() => RunAsync(async (random, folder, grown) =>
    {
        var killer = new Killer(random, folder);
        for (var round = 0; round < Rounds; round++)
        {
            grown.Change(random.Next(1, 40));
            var truth = TreeTruth.Of(folder["source"]);
            await killer.RunAsync("--tree-backup", "source");
            using var backend = new LocalBackend(folder["vault"]);
            await using var vault = await TestVault.OpenAsync(backend, Options);
            Assert.True((await vault.VerifyAsync(readData: round % 10 == 9, null, None)).IsHealthy);

            // Whether or not the killed one came to its commit.
            var tree = (await vault.StoreTreeAsync(folder["source"], TreeProcess.Last(vault), new())).Result.Tree;
            if (round % 5 == 4)
                await CheckAsync(vault, tree, folder[$"target {round}"], truth);
        }

        killer.RequireKills();
    });

    [Fact]
    public Task A_restore_that_was_killed_ends_right_when_it_is_started_again() => RunAsync(async (random, folder, grown) =>
    {
        var killer = new Killer(random, folder);
        var truth = TreeTruth.Of(folder["source"]);
        using var backend = new LocalBackend(folder["vault"]);
        await using var vault = await TestVault.OpenAsync(backend, Options);
        for (var round = 0; round < Rounds; round++)
        {
            // Into an empty folder, over the last one's files, and over one's that was killed, too.
            var target = folder[$"target {round / 3}"];
            await killer.RunAsync("--tree-restore", $"target {round / 3}");
            if (round % 3 == 1)
                continue;
            var result = await vault.RestoreTreeAsync(TreeProcess.Last(vault)!.Value, target, existing: ExistingFiles.Overwrite);
            Assert.Empty(result.Problems);
            truth.RequireSame(TreeTruth.Of(target));
        }

        killer.RequireKills();
    });

    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_ROUNDS"), out var many) ? many : UsualRounds;

    private static async Task RunAsync(Func<Random, TemporaryFolder, GrownTree, Task> rounds)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_SEED"), out var given) ? given : Random.Shared.Next();
        using var folder = new TemporaryFolder();
        var grown = new GrownTree(folder["source"], seed);
        grown.Grow(200);
        using (var backend = new LocalBackend(folder["vault"]))
        {
            await using var vault = await TestVault.CreateAsync(backend, Options);
            await vault.StoreTreeAsync(folder["source"], options: new());
        }

        try
        {
            await rounds(new Random(seed), folder, grown);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"STRONGROOM_KILL_SEED={seed.ToString(CultureInfo.InvariantCulture)}: {failure.Message}", failure);
        }
    }

    private static async Task CheckAsync(VaultStore vault, TreeRef tree, string target, TreeTruth truth)
    {
        Assert.Empty((await vault.RestoreTreeAsync(tree, target)).Problems);
        truth.RequireSame(TreeTruth.Of(target));
    }

    /// <summary>Starts processes and kills them at some moment of the time that they would take; the first is let be, to find that out.</summary>
    private sealed class Killer(Random random, TemporaryFolder folder)
    {
        private const int KilledExitCode = 128 + 9;
        private TimeSpan longest;
        private int runs;
        private int kills;

        public async Task RunAsync(string what, string name)
        {
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [what, folder["vault"], folder[name]]) { RedirectStandardOutput = true })!;
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(None));
            var started = TimeProvider.System.GetTimestamp();
            if (runs++ > 0)
            {
                await Task.WhenAny(process.WaitForExitAsync(None), Task.Delay(longest * random.NextDouble(), None));
                process.Kill();
            }

            await process.WaitForExitAsync(None);
            var lasted = TimeProvider.System.GetElapsedTime(started);
            longest = lasted > longest ? lasted : longest;
            if (process.ExitCode == KilledExitCode)
                kills++;
            else
                Assert.Equal(0, process.ExitCode);
        }

        public void RequireKills() => Assert.True(kills >= runs / 4, $"Only {kills} of {runs} processes were killed before they ended.");
    }
}
