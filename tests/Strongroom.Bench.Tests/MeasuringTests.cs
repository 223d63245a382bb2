using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Tests;

public sealed class MeasuringTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_cpu_time_and_the_memory_of_grandchildren_count()
    {
        // The shell waits for another shell that burns CPU, and for tail, which keeps a line of 200 MB in memory.
        const string Script = "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; head -c 200000000 /dev/zero | tail -n 1 | wc -c'; :";

        var done = await MeasuredProcess.RunAsync(Shell(Script), TestContext.Current.CancellationToken);

        Assert.Equal("200000000", done.Output.Trim());
        Assert.InRange(done.Usage.PeakRssBytes, 190_000_000, 1_000_000_000);
        Assert.InRange(done.Usage.ReadBytes, 600_000_000, 800_000_000);
        Assert.InRange(done.Usage.CpuSeconds, 0.02, 60);
        Assert.True(done.Usage.WallSeconds > 0);
    }

    [Fact]
    public async Task Sleeping_takes_wall_time_and_no_cpu()
    {
        var done = await MeasuredProcess.RunAsync(Shell("sleep 0.5; echo '{\"a\":1}'"), TestContext.Current.CancellationToken);

        Assert.InRange(done.Usage.WallSeconds, 0.5, 60);
        Assert.InRange(done.Usage.CpuSeconds, 0, 0.2);
        Assert.Equal(1, done.Json["a"]!.GetValue<int>());
    }

    [Fact]
    public async Task A_command_that_fails_is_an_error_with_what_it_said()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => MeasuredProcess.RunAsync(Shell("echo no room >&2; exit 3"), TestContext.Current.CancellationToken));

        Assert.Contains("status 3", failure.Message, StringComparison.Ordinal);
        Assert.Contains("no room", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_cache_of_a_file_is_seen_and_dropped()
    {
        var path = folder["file"];
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, new byte[1 << 20], 0);
            RandomAccess.FlushToDisk(file);
        }

        _ = File.ReadAllBytes(path);
        Assert.Equal(1 << 20, ResourceCalls.CachedBytes(path));
        ResourceCalls.DropCache(path);
        Assert.InRange(ResourceCalls.CachedBytes(path), 0, (1 << 20) - 1);
    }

    [Fact]
    public void Memory_that_is_held_is_anonymous_memory()
    {
        var before = ProcessMemory.ReadCollected();
        var held = new byte[64 << 20];
        held.AsSpan().Fill(1);
        var after = ProcessMemory.ReadCollected();

        Assert.InRange(after.AnonymousBytes - before.AnonymousBytes, 48 << 20, 128 << 20);
        Assert.True(after.PeakRssBytes >= after.AnonymousBytes);
        GC.KeepAlive(held);
    }

    private Invocation Shell(string script) => new(["sh", "-c", script], folder.Path, new Dictionary<string, string>());
}
