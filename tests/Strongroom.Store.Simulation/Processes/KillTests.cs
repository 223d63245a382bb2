using System.Diagnostics;
using Strongroom.Store.Simulation.PowerCut;

namespace Strongroom.Store.Simulation.Processes;

/// <summary>A real process on a real folder is killed again and again at random moments.</summary>
public sealed class KillTests
{
    private const int Rounds = 8;

    [Fact]
    public async Task Promises_are_kept_through_kill_after_kill()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_SEED"), out var given) ? given : Random.Shared.Next();
        var rounds = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_ROUNDS"), out var many) ? many : Rounds;
        TestContext.Current.SendDiagnosticMessage("STRONGROOM_KILL_SEED={0}", seed);
        var random = new Random(seed);
        var folder = Directory.CreateTempSubdirectory("strongroom-kill-").FullName;
        var book = new PromiseBook();
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                await RunAndKillAsync(folder, round, random, book);
                using var backend = new LocalBackend(folder);
                try
                {
                    await book.CheckAsync(backend, isThorough: true);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException($"Round {round} of STRONGROOM_KILL_SEED={seed}: {failure.Message}", failure);
                }
            }

            Assert.True(book.Commits > 0, "No process lived long enough to commit anything.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAndKillAsync(string folder, int round, Random random, PromiseBook book)
    {
        string[] arguments = ["--workload", folder, $"{round * 1000}", "--endless"];
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;

        // In most rounds the clock runs from the first promise on: how long a start takes depends on the machine.
        var first = round == 0 ? null : await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        await Task.Delay(random.Next(600), TestContext.Current.CancellationToken);
        process.Kill();
        var output = first + "\n" + await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        foreach (var line in output.Split('\n'))
            book.Read(line);
    }
}
