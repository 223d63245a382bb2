using System.Text;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>TLS with the servers that there are, over TCP and Unix sockets; and that nothing is said in the clear instead.</summary>
public sealed class NbdTlsTests : IDisposable
{
    private static readonly NbdClientOptions Options = new() { ConnectTimeout = TimeSpan.FromSeconds(20) };

    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly byte[] _content = Sources.Noise(3 << 20, 1);

    public NbdTlsTests() => File.WriteAllBytes(_folder["disk"], _content);

    private NbdTlsOptions Tls => new() { HostName = "vault.example", Authorities = [_authority.Certificate], Certificate = _authority.Client };

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
    }

    private string[] QemuTls(TestAuthority authority) =>
        ["--read-only", "--persistent", "--shared=8", "--format=raw", "--object", $"tls-creds-x509,id=tls0,endpoint=server,verify-peer=yes,dir={authority.Folder}", "--tls-creds=tls0", _folder["disk"]];

    private Task<PeerServer> QemuAsync(TestAuthority? authority = null) =>
        PeerServer.OnPortAsync("qemu-nbd", port => [$"--port={port}", "--bind=127.0.0.1", .. QemuTls(authority ?? _authority)]);

    private async Task RequireContentAsync(NbdAddress address)
    {
        await using var source = await NbdBlockSource.ConnectAsync(address, new NbdSourceOptions { Client = Options, Connections = 3 }, CancellationToken.None);
        var read = new byte[_content.Length];
        await Parallel.ForAsync(0, 48, async (index, cancellationToken) => await source.ReadAsync(index << 16, read.AsMemory(index << 16, 1 << 16), cancellationToken));
        Assert.Equal(_content, read);
        await Sources.RequireSoundMapAsync(source, _content);
    }

    [Fact]
    public async Task Qemu_is_read_over_tcp_with_certificates_on_both_sides()
    {
        await using var server = await QemuAsync();
        await RequireContentAsync(server.Address with { Tls = Tls });
    }

    [Fact]
    public async Task Qemu_is_read_over_a_unix_socket()
    {
        await using var server = await PeerServer.OnSocketAsync(_folder["nbd"], "qemu-nbd", ["--socket=" + _folder["nbd"], .. QemuTls(_authority)]);
        await RequireContentAsync(server.Address with { Tls = Tls });
    }

    [Fact]
    public async Task Nbdkit_is_read_over_tcp()
    {
        await using var server = await PeerServer.OnPortAsync(
            "nbdkit",
            port => ["-f", "-r", "-i", "127.0.0.1", "-p", $"{port}", "--tls=require", "--tls-certificates=" + _authority.Folder, "--tls-verify-peer", "file", _folder["disk"]]);
        await RequireContentAsync(server.Address with { Tls = Tls });
    }

    [Fact]
    public async Task The_address_itself_may_be_the_name()
    {
        using var authority = new TestAuthority("127.0.0.1");
        await using var server = await QemuAsync(authority);
        await RequireContentAsync(server.Address with { Tls = new() { Authorities = [authority.Certificate], Certificate = authority.Client } });
    }

    [Fact]
    public async Task Who_is_not_the_one_that_was_meant_is_refused()
    {
        using var stranger = new TestAuthority();
        await using var server = await QemuAsync();
        foreach (var tls in (NbdTlsOptions[])[
            Tls with { HostName = "other.example" },
            Tls with { HostName = null },
            Tls with { Authorities = [stranger.Certificate] },
            Tls with { Authorities = null },
            Tls with { Authorities = [] }])
        {
            var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address with { Tls = tls }, Options, CancellationToken.None));
            Assert.Contains("TLS failed", exception.Message, StringComparison.Ordinal);
        }

        foreach (var tls in (NbdTlsOptions[])[Tls with { Certificate = null }, Tls with { Certificate = stranger.Client }])
            await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address with { Tls = tls }, Options, CancellationToken.None));
    }

    [Fact]
    public async Task A_server_that_demands_tls_is_named_so()
    {
        await using var server = await QemuAsync();
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None));
        Assert.Contains("TLS is required", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_tls_is_an_error()
    {
        await using var server = await PeerServer.OnSocketAsync(_folder["nbd"], "qemu-nbd", "--read-only", "--persistent", "--shared=8", "--format=raw", "--socket=" + _folder["nbd"], _folder["disk"]);
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address with { Tls = Tls }, Options, CancellationToken.None));
        Assert.Contains("refused TLS", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_unix_socket_needs_a_name()
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            await server.WaitForHangUpAsync();
        });
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address with { Tls = Tls with { HostName = null } }, Options, CancellationToken.None));
        Assert.Contains("needs the name", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>What somebody on the way puts behind the server's consent must not be taken for something that came through TLS.</summary>
    [Fact]
    public async Task Words_in_the_clear_behind_the_consent_are_refused()
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            Assert.Equal(5u, (await server.ReadOptionAsync()).Option);
            byte[] consent = [.. FakeNbdServer.Big64(0x0003e889045565a9), .. FakeNbdServer.Big32(5), .. FakeNbdServer.Big32(1), .. FakeNbdServer.Big32(0)];
            await server.SendAsync([.. consent, .. "and one thing more"u8]);
            await server.WaitForHangUpAsync();
        });
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address with { Tls = Tls }, Options, CancellationToken.None));
        Assert.Contains("in the clear", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_never_finishes_the_handshake_is_given_up_in_time()
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            await server.WaitForEverAsync();
        });
        var options = Options with { ConnectTimeout = TimeSpan.FromMilliseconds(300) };
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address with { Tls = Tls }, options, CancellationToken.None));
        Assert.Contains("did not answer", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>A stopped process still takes what is sent to it; it only never answers.</summary>
    [Fact]
    public async Task A_server_that_stops_is_given_up_in_time_also_in_tls()
    {
        await using var server = await QemuAsync();
        var options = new NbdSourceOptions { Client = Options with { AnswerTimeout = TimeSpan.FromMilliseconds(500) }, Connections = 2 };
        await using var source = await NbdBlockSource.ConnectAsync(server.Address with { Tls = Tls }, options, CancellationToken.None);
        await Programs.RunAsync("kill", "-STOP", $"{server.ProcessId}");
        var reads = Enumerable.Range(0, 100).Select(index => source.ReadAsync(index << 10, new byte[1024], CancellationToken.None).AsTask()).ToArray();
        foreach (var read in reads)
            await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void An_address_reads_as_it_is_written()
    {
        Assert.Equal("[::1]:10809", NbdAddress.Tcp("::1").ToString());
        Assert.Equal("vm.example:7", NbdAddress.Tcp("vm.example", 7).ToString());
        Assert.Equal("/run/x", NbdAddress.Unix("/run/x").ToString());
        Assert.Throws<IOException>(() => NbdAddress.Unix(new StringBuilder().Append('x', 108).ToString()));
    }
}
