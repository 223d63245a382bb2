using System.Diagnostics;

namespace Strongroom.Store.Simulation;

/// <summary>Each test is a process of its own: a simulation needs the thread pool for itself.</summary>
public sealed class SimulationTests
{
    [Fact]
    public async Task Every_promise_is_kept_on_many_seeds() => Assert.StartsWith("200 runs", await PlayAsync("--seeds", "1", "200"), StringComparison.Ordinal);

    [Theory]
    [InlineData("9011")]
    [InlineData("9414")]
    public async Task Promises_that_were_broken_once_are_kept(string seed) => Assert.StartsWith("RunReport", await PlayAsync("--seed", seed), StringComparison.Ordinal);

    [Fact]
    public async Task Seeds_play_the_same_each_time() =>
        Assert.Equal(await PlayAsync("--seeds", "1000", "20"), await PlayAsync("--seeds", "1000", "20"));

    [Theory]
    [InlineData("CrashBefore")]
    [InlineData("CrashAfter")]
    [InlineData("PowerCut")]
    [InlineData("ErrorBefore")]
    [InlineData("ErrorAfter")]
    [InlineData("Conflict")]
    [InlineData("Full")]
    [InlineData("ShortRead")]
    [InlineData("Misread")]
    public async Task Promises_are_kept_whichever_call_goes_wrong(string fault)
    {
        var runs = int.Parse((await PlayAsync("--every-call", fault, "5")).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(runs, 60, 1000);
    }

    /// <summary>What a run printed; the test fails with it when the run failed.</summary>
    private static async Task<string> PlayAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{await errors}");
        return output;
    }
}
