using System.Diagnostics;
using Strongroom.Store.Copies;
using Strongroom.Store.Simulation.PowerCut;

namespace Strongroom.Store.Simulation.Processes;

/// <summary>A real process on a real folder is killed again and again at random moments.</summary>
public sealed class KillTests
{
    private const int Rounds = 8;

    private const int ChoreRounds = 3;

    [Fact]
    public Task Promises_are_kept_through_kill_after_kill() => RunAsync(Rounds, static (_, _, _) => Task.CompletedTask);

    [Theory]
    [MemberData(nameof(Chores))]
    public Task Promises_are_kept_when_work_beside_backups_is_killed(string chore) => RunAsync(ChoreRounds, async (random, lab, book) =>
    {
        using var backend = new LocalBackend(lab.Vault);
        using var replica = new LocalBackend(lab.Copy);
        if (chore == "heal")
        {
            await VaultCopy.RunAsync(backend, replica, new(), null, TestContext.Current.CancellationToken);
            lab.Rot(random);
        }

        await RunAndKillAsync(["--chore", chore, lab.Vault, lab.Copy], waits: true, random, book);
        if (chore == "heal" && await Processes.Chores.HealAsync(backend, replica) is { Problems: [var problem, ..] })
            throw new InvalidOperationException($"The vault is not whole after it was healed: {problem.What}");

        // Whoever opens a copy may write to it, and it is no copy any more.
        if (chore == "copy")
            await book.CheckCopyAsync(lab.Copy);
    });

    public static TheoryData<string> Chores => [.. Processes.Chores.All];

    private static async Task RunAsync(int usualRounds, Func<Random, KillLab, PromiseBook, Task> then)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_SEED"), out var given) ? given : Random.Shared.Next();
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_ROUNDS"), out var many) ? many : usualRounds;
        TestContext.Current.SendDiagnosticMessage("STRONGROOM_KILL_SEED={0}", seed);
        var random = new Random(seed);
        using var lab = new KillLab();
        var book = new PromiseBook();
        for (var round = 0; round < rounds; round++)
        {
            await RunAndKillAsync(["--workload", lab.Vault, $"{round * 1000}", "--endless"], waits: round > 0, random, book);
            try
            {
                await CheckAsync(lab, book);
                if (book.Commits == 0)
                    continue;
                await then(random, lab, book);
                await CheckAsync(lab, book);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Round {round} of STRONGROOM_KILL_SEED={seed}: {failure.Message}", failure);
            }
        }

        Assert.True(book.Commits > 0, "No process lived long enough to commit anything.");
    }

    private static async Task CheckAsync(KillLab lab, PromiseBook book)
    {
        using var backend = new LocalBackend(lab.Vault);
        await book.CheckAsync(backend, isThorough: true);
    }

    /// <summary>Where it waits, the clock runs from the first promise on: how long a start takes depends on the machine.</summary>
    private static async Task RunAndKillAsync(string[] arguments, bool waits, Random random, PromiseBook book)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        var first = waits ? await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) : null;
        await Task.Delay(random.Next(600), TestContext.Current.CancellationToken);
        var hasEnded = process.HasExited;
        process.Kill();
        var output = first + "\n" + await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        foreach (var line in output.Split('\n'))
            book.Read(line);
        Assert.False(hasEnded, $"{string.Join(' ', arguments)} ended by itself: {output}");
    }
}
