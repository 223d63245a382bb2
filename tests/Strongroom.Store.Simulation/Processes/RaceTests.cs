using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Strongroom.Store.Simulation.PowerCut;
using Strongroom.Store.Simulation.World;

namespace Strongroom.Store.Simulation.Processes;

/// <summary>Real processes back up, purge, collect and scrub one vault at the same time, while one after another is killed, or stopped and woken later.</summary>
public sealed partial class RaceTests
{
    private const int SignalContinue = 18;
    private const int SignalStop = 19;
    private static readonly string[] Crew = ["backup", "backup", "purge", "gc", "gc", "scrub"];
    private readonly ConcurrentQueue<string> lines = [];
    private readonly ConcurrentQueue<string> failures = [];

    [Fact]
    public async Task What_was_committed_restores_however_processes_race_and_die()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_KILL_SEED"), out var given) ? given : Random.Shared.Next();
        var blows = int.TryParse(Environment.GetEnvironmentVariable("STRONGROOM_RACE_BLOWS"), out var many) ? many : 40;
        TestContext.Current.SendDiagnosticMessage("STRONGROOM_KILL_SEED={0}", seed);
        var random = new Random(seed);
        using var lab = new KillLab();
        using (var backend = new LocalBackend(lab.Vault))
            await (await VaultStore.CreateAsync(backend, SimulatedWorld.Key, new(), TimeProvider.System, TestContext.Current.CancellationToken)).DisposeAsync();
        var crew = Crew.Select(role => Start(role, lab.Vault, random)).ToList();
        try
        {
            for (var blow = 0; blow < blows; blow++)
            {
                await Task.Delay(random.Next(400), TestContext.Current.CancellationToken);
                var hit = random.Next(crew.Count);
                if (random.Next(3) == 0)
                    await PauseAsync(crew[hit], random.Next(2000));
                else
                    crew[hit] = await ReplaceAsync(crew[hit], Crew[hit], lab.Vault, random);
            }
        }
        finally
        {
            foreach (var process in crew)
                await EndAsync(process);
        }

        Assert.True(failures.IsEmpty, $"STRONGROOM_KILL_SEED={seed}: {string.Join('\n', failures)}");
        var book = new PromiseBook();
        foreach (var line in lines)
            book.Read(line);
        Assert.True(book.Commits > 0, "Nobody committed anything.");
        using var left = new LocalBackend(lab.Vault);
        await book.CheckAsync(left, isThorough: true);
    }

    private Process Start(string role, string vault, Random random)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, ["--racer", role, vault, random.Next().ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.OutputDataReceived += (_, line) => lines.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => Complain(role, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>A process that ends by itself says why.</summary>
    private void Complain(string role, string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
            failures.Enqueue($"{role}: {line}");
    }

    private async Task<Process> ReplaceAsync(Process old, string role, string vault, Random random)
    {
        await EndAsync(old);
        return Start(role, vault, random);
    }

    /// <summary>SIGKILL, which stopped processes get as well; what it said before is read to the end.</summary>
    private static async Task EndAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }

    /// <summary>As a machine that sleeps, or a disk that hangs: it goes on as if nothing had happened.</summary>
    private static async Task PauseAsync(Process process, int milliseconds)
    {
        Assert.Equal(0, Signal(process.Id, SignalStop));
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        Assert.Equal(0, Signal(process.Id, SignalContinue));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
