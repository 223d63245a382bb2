using Strongroom.Blocks.Qcow2;

namespace Strongroom.Blocks.Tests.Qcow2;

public sealed class QemuNbdProcessTests
{
    [Fact]
    public async Task A_missing_program_is_an_error_that_says_what_to_install()
    {
        var exception = await Assert.ThrowsAsync<ToolMissingException>(() => QemuNbdProcess.StartAsync("qemu-nbd-that-nobody-has", []));
        Assert.Contains("apt-get install qemu-utils", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_program_says_is_kept_up_to_a_limit_and_its_end_is_noticed()
    {
        await using var process = await QemuNbdProcess.StartAsync("sh", ["-c", "echo first >&2; head -c 100000 /dev/zero | tr '\\0' x"]);
        Assert.True(await process.ExitsWithinAsync(TimeSpan.FromSeconds(20), TimeProvider.System, CancellationToken.None));
        var message = await process.MessageAsync();
        Assert.Contains("first", message, StringComparison.Ordinal);
        Assert.InRange(message.Length, 4000, 4096);
    }

    [Fact]
    public async Task A_program_that_does_not_end_is_killed()
    {
        var process = await QemuNbdProcess.StartAsync("sleep", ["1000"]);
        Assert.False(await process.ExitsWithinAsync(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None));
        Assert.True(Directory.Exists($"/proc/{process.Id}"));
        await process.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{process.Id}"));
    }

    [Fact]
    public async Task A_program_outlives_the_thread_that_asked_for_it()
    {
        // The parent-death signal belongs to the starting thread; it must not be one that ends.
        QemuNbdProcess? process = null;
        var thread = new Thread(() => process = QemuNbdProcess.StartAsync("sleep", ["1000"]).GetAwaiter().GetResult());
        thread.Start();
        thread.Join();
        Assert.False(await process!.ExitsWithinAsync(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None));
        await process.DisposeAsync();
    }
}
