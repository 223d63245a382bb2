using Strongroom.Bench.Nbd;

namespace Strongroom.Bench.Tests;

public sealed class NbdBenchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Both_clients_read_a_small_disk_and_nothing_is_left()
    {
        if (!File.Exists("/usr/bin/qemu-nbd") || !File.Exists("/usr/bin/nbdcopy"))
            Assert.Skip("qemu-nbd or nbdcopy is not installed (Debian packages qemu-utils and libnbd-bin)");
        var options = new NbdBenchOptions(new(8 << 20, 0, 0, 100, 1, "/usr"), 64 << 10, [1, 2], Rounds: 1, folder.Path);
        Assert.Equal(0, await NbdBench.RunAsync(options, TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
