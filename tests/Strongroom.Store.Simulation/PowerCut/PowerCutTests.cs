using System.Diagnostics;
using System.IO.Hashing;
using System.Text;

namespace Strongroom.Store.Simulation.PowerCut;

/// <summary>
/// A real process on a local folder is watched by strace; then the power is cut after each of its calls in turn, in several ways, and the
/// vault that is left is opened.
/// </summary>
public sealed class PowerCutTests
{
    [Fact]
    public async Task Promises_are_kept_when_the_power_fails_after_any_system_call()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed");
        var folder = Directory.CreateTempSubdirectory("strongroom-powercut-").FullName;
        try
        {
            var vault = Path.Combine(folder, "vault");
            var calls = await WatchAsync(folder, vault);
            var checks = await ReplayAsync(calls, vault);
            Assert.InRange(checks, 100, 10_000);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<List<SystemCall>> WatchAsync(string folder, string vault)
    {
        var trace = Path.Combine(folder, "trace");
        string[] arguments =
            ["-f", "-y", "-xx", "-s", "2097152", "-e", $"trace={SystemCall.Traced}", "-o", trace, Environment.ProcessPath!, "--workload", vault, "1"];
        using var process = Process.Start(new ProcessStartInfo("/usr/bin/strace", arguments) { RedirectStandardOutput = true })!;
        await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return [.. SystemCall.Read(File.ReadLines(trace))];
    }

    private static async Task<int> ReplayAsync(List<SystemCall> calls, string vault)
    {
        var disk = new DiskAfterPowerCut(vault);
        var book = new PromiseBook();
        var seen = new HashSet<UInt128>();
        var random = new Random(1);
        for (var i = 0; i < calls.Count; i++)
        {
            if (calls[i].Name == "write" && Encoding.ASCII.GetString(calls[i].Data).TrimEnd() is var line && line.Length < 100)
                book.Read(line);
            disk.Apply(calls[i]);
            foreach (var survival in (Survival[])[Survival.Nothing, Survival.Everything, Survival.Some, Survival.Some])
            {
                var files = disk.Cut(survival, random);
                if (!seen.Add(Fingerprint(files, book.Commits)))
                    continue;
                try
                {
                    await book.CheckAsync(await BackendAsync(files), isThorough: survival == Survival.Some || seen.Count % 8 == 0);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException(
                        $"Power cut after call {i}, {calls[i].Name} {calls[i].Path} {calls[i].SecondPath}; survives: {survival}: {failure.Message}", failure);
                }
            }
        }

        Assert.True(book.Commits == 5, "The workload was not seen to the end.");
        return seen.Count;
    }

    private static UInt128 Fingerprint(SortedDictionary<string, byte[]> files, int commits)
    {
        var hash = new XxHash128();
        hash.Append(BitConverter.GetBytes(commits));
        foreach (var (name, content) in files)
        {
            hash.Append(Encoding.ASCII.GetBytes(name));
            hash.Append(content);
        }

        return hash.GetCurrentHashAsUInt128();
    }

    private static async Task<MemoryBackend> BackendAsync(SortedDictionary<string, byte[]> files)
    {
        var backend = new MemoryBackend();
        foreach (var (name, content) in files)
            await backend.PutIfAbsentAsync(name, content, CancellationToken.None);
        return backend;
    }
}
