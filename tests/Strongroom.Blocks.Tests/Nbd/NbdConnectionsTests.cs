using Strongroom.Blocks.Nbd;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>One export over several connections.</summary>
public sealed class NbdConnectionsTests : IDisposable
{
    private static readonly NbdSourceOptions Four = new() { Client = new() { ConnectTimeout = TimeSpan.FromSeconds(20), AnswerTimeout = TimeSpan.FromSeconds(20) }, Connections = 4 };

    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _content = Sources.Noise(4 << 20, 5);

    public NbdConnectionsTests() => File.WriteAllBytes(_folder["disk"], _content);

    public void Dispose() => _folder.Dispose();

    private Task<PeerServer> QemuAsync(params string[] options) =>
        PeerServer.OnSocketAsync(_folder["nbd"], "qemu-nbd", ["--persistent", "--format=raw", "--socket=" + _folder["nbd"], .. options, _folder["disk"]]);

    private async Task RequireContentAsync(NbdBlockSource source)
    {
        var read = new byte[_content.Length];
        await Parallel.ForAsync(0, 256, new ParallelOptions { MaxDegreeOfParallelism = 64 }, async (index, cancellationToken) =>
            await source.ReadAsync(index << 14, read.AsMemory(index << 14, 1 << 14), cancellationToken));
        Assert.Equal(_content, read);
        await Sources.RequireSoundMapAsync(source, _content);
    }

    [Fact]
    public async Task Reads_are_spread_where_the_server_says_that_it_is_safe()
    {
        await using var server = await QemuAsync("--read-only", "--shared=8");
        await using var source = await NbdBlockSource.ConnectAsync(server.Address, Four, CancellationToken.None);
        Assert.True(source.Export.CanUseManyConnections);
        Assert.Equal(4, source.ConnectionCount);
        await RequireContentAsync(source);
    }

    [Fact]
    public async Task Every_connection_gets_work()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        var gate = new TaskCompletionSource();
        lab.Disk.Gate = gate.Task;
        var options = Four with { Client = Four.Client with { MaximumRequestsInFlight = 2 } };
        await using var source = await NbdBlockSource.ConnectAsync(NbdAddress.Unix(lab.Server.SocketPath), options, CancellationToken.None);
        var reads = Enumerable.Range(0, 8).Select(index => source.ReadAsync(index << 12, new byte[4096], CancellationToken.None).AsTask()).ToArray();
        while (lab.Disk.Waiting < reads.Length)
            await Task.Delay(10);
        gate.SetResult();
        await Task.WhenAll(reads);
    }

    [Fact]
    public async Task There_is_one_connection_where_the_server_does_not_say_so_unless_the_caller_knows()
    {
        await using var server = await PeerServer.OnSocketAsync(_folder["nbd"], "nbdkit", "-f", "-r", "-U", _folder["nbd"], "--filter=multi-conn", "file", _folder["disk"], "multi-conn-mode=disable");
        await using (var source = await NbdBlockSource.ConnectAsync(server.Address, Four, CancellationToken.None))
        {
            Assert.False(source.Export.CanUseManyConnections);
            Assert.Equal(1, source.ConnectionCount);
            await RequireContentAsync(source);
        }

        await using var stable = await NbdBlockSource.ConnectAsync(server.Address, Four with { IsStable = true }, CancellationToken.None);
        Assert.Equal(4, stable.ConnectionCount);
        await RequireContentAsync(stable);
    }

    /// <summary>Of the two connections one is cut off: no read may pass from then on, whichever it would have gone to.</summary>
    [Fact]
    public async Task One_broken_connection_fails_every_read()
    {
        var isOver = new TaskCompletionSource();
        await using var slow = new FakeNbdServer(async server =>
        {
            await server.NegotiateAsync();
            await server.ReadRequestAsync();
            await isOver.Task;
            server.HangUp();
        })
        { LengthBytes = 1 << 20 };
        await using var bad = new FakeNbdServer(async server =>
        {
            await server.NegotiateAsync();
            await server.ReadRequestAsync();
            server.HangUp();
        })
        { LengthBytes = 1 << 20 };
        await using var connections = new NbdConnections(
            await NbdClient.ConnectAsync(slow.Address, Four.Client, CancellationToken.None),
            await NbdClient.ConnectAsync(bad.Address, Four.Client, CancellationToken.None));
        // It keeps the first connection busy, so that the next read takes the other.
        var waiting = connections.ReadAsync(0, new byte[4096], CancellationToken.None).AsTask();
        for (var index = 0; index < 20; index++)
            await Assert.ThrowsAsync<IOException>(() => connections.ReadAsync(0, new byte[4096], CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<IOException>(() => connections.BlockStatusAsync(0, 4096, CancellationToken.None));
        isOver.SetResult();
        await Assert.ThrowsAsync<IOException>(() => waiting);
    }

    [Fact]
    public async Task An_export_that_differs_between_connections_is_refused()
    {
        using var folder = new TemporaryFolder();
        await using var server = await PeerServer.OnSocketAsync(
            folder["nbd"],
            "nbdkit",
            "-f", "-r", "-U", folder["nbd"], "eval", "config=true", "can_multi_conn=exit 0", $"get_size=echo x >> {folder["count"]}; echo $(( $(wc -l < {folder["count"]}) * 1048576 ))", "pread=exit 1");
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdBlockSource.ConnectAsync(server.Address, Four, CancellationToken.None));
        Assert.Contains("differently", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_killed_fails_the_reads_under_way_on_all_connections()
    {
        await using var server = await QemuAsync("--read-only", "--shared=8");
        await using var source = await NbdBlockSource.ConnectAsync(server.Address, Four, CancellationToken.None);
        await server.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            while (true)
                await source.ReadAsync(0, new byte[1 << 20], CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        });
    }
}
