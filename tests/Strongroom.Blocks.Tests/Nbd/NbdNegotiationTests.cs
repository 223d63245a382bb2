using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

public sealed class NbdNegotiationTests
{
    private static readonly NbdClientOptions Options = new() { ConnectTimeout = TimeSpan.FromSeconds(20) };

    private static async Task<IOException> RequireRefusalAsync(Func<FakeNbdServer, Task> script)
    {
        await using var server = new FakeNbdServer(script);
        return await Assert.ThrowsAnyAsync<IOException>(() => NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None));
    }

    [Fact]
    public async Task A_sound_server_is_understood()
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.NegotiateAsync();
            await server.WaitForHangUpAsync();
        })
        { LengthBytes = 12345, MinimumBlockSizeBytes = 512 };
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        Assert.Equal(12345, client.Export.LengthBytes);
        Assert.True(client.Export.IsReadOnly);
        Assert.Equal(512u, client.Export.MinimumBlockSizeBytes);
        Assert.Equal(7u, client.Export.MetaContexts["base:allocation"]);
    }

    [Fact]
    public async Task The_client_says_goodbye()
    {
        var goodbye = new TaskCompletionSource<ushort>();
        await using var server = new FakeNbdServer(async server =>
        {
            await server.NegotiateAsync();
            goodbye.SetResult((await server.ReadRequestAsync()).Type);
        });
        await (await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None)).DisposeAsync();
        Assert.Equal(2, await goodbye.Task.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Something_else_that_listens_is_told_apart()
    {
        var exception = await RequireRefusalAsync(server => server.SendAsync("SSH-2.0-OpenSSH_9.2p1 Debian"u8.ToArray()));
        Assert.Contains("not an NBD server", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Oldstyle_is_refused()
    {
        var exception = await RequireRefusalAsync(server => server.SendAsync([.. "NBDMAGIC"u8, .. FakeNbdServer.Big64(0x00420281861253), .. new byte[200]]));
        Assert.Contains("oldstyle", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Newstyle_that_is_not_fixed_is_refused() =>
        await RequireRefusalAsync(server => server.SendAsync([.. "NBDMAGIC"u8, .. "IHAVEOPT"u8, 0, 0]));

    [Fact]
    public async Task A_server_that_hangs_up_is_an_error() =>
        await RequireRefusalAsync(async server =>
        {
            await server.SendAsync("NBDMAGIC"u8.ToArray());
            server.HangUp();
        });

    [Fact]
    public async Task A_missing_export_is_named()
    {
        var exception = await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            for (var index = 0; index < 2; index++)
                await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 0x80000006, "no such thing"u8.ToArray());
        });
        Assert.Contains("no such export (no such thing)", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0u, 4096u, 65536u)]
    [InlineData(3u, 4096u, 65536u)]
    [InlineData(4096u, 512u, 65536u)]
    [InlineData(4096u, 4096u, 512u)]
    public async Task Impossible_block_sizes_are_refused(uint minimum, uint preferred, uint maximum) =>
        await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            for (var index = 0; index < 2; index++)
                await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            var (option, _) = await server.ReadOptionAsync();
            await server.SendOptionReplyAsync(option, 3, [0, 3, .. FakeNbdServer.Big32(minimum), .. FakeNbdServer.Big32(preferred), .. FakeNbdServer.Big32(maximum)]);
            await server.SendOptionReplyAsync(option, 3, [0, 0, .. FakeNbdServer.Big64(1 << 20), 0, 1]);
            await server.SendOptionReplyAsync(option, 1, []);
        });

    [Fact]
    public async Task An_option_reply_of_4_gigabytes_is_refused_before_it_is_read()
    {
        var exception = await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            await server.ReadOptionAsync();
            await server.SendAsync([.. FakeNbdServer.Big64(0x0003e889045565a9), .. FakeNbdServer.Big32(11), .. FakeNbdServer.Big32(1), 0xFF, 0xFF, 0xFF, 0xFF]);
            await server.WaitForHangUpAsync();
        });
        Assert.Contains("4294967295", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endless_row_of_replies_is_refused()
    {
        var exception = await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            for (var index = 0; index < 2; index++)
                await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            var (option, _) = await server.ReadOptionAsync();
            while (true)
                await server.SendOptionReplyAsync(option, 3, [0, 77]);
        });
        Assert.Contains("more than 1024 replies", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 63)]
    [InlineData(long.MaxValue - 510UL)]
    public async Task A_size_that_cannot_be_is_refused(ulong size)
    {
        var exception = await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            for (var index = 0; index < 2; index++)
                await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            var (option, _) = await server.ReadOptionAsync();
            await server.SendOptionReplyAsync(option, 3, [0, 0, .. FakeNbdServer.Big64(size), 0, 1]);
            await server.SendOptionReplyAsync(option, 1, []);
        });
        Assert.Contains("usable size", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_contexts_of_one_number_are_refused()
    {
        var options = Options with { MetaContexts = ["a:b", "c:d"] };
        await using var server = new FakeNbdServer(async server =>
        {
            await server.GreetAsync();
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            var (option, _) = await server.ReadOptionAsync();
            await server.SendOptionReplyAsync(option, 4, [.. FakeNbdServer.Big32(1), .. "a:b"u8]);
            await server.SendOptionReplyAsync(option, 4, [.. FakeNbdServer.Big32(1), .. "c:d"u8]);
            await server.WaitForHangUpAsync();
        });
        await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address, options, CancellationToken.None));
    }

    [Fact]
    public async Task A_servers_words_are_one_short_line_without_commands_for_a_terminal()
    {
        var exception = await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            for (var index = 0; index < 2; index++)
                await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 1, []);
            await server.SendOptionReplyAsync((await server.ReadOptionAsync()).Option, 0x80000002, [.. "\x1b[2J\r\nInfo: all is well"u8, .. Enumerable.Repeat((byte)'x', 60_000)]);
        });
        Assert.Contains("Info: all is well", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(exception.Message, char.IsControl);
        Assert.InRange(exception.Message.Length, 100, 500);
    }

    [Fact]
    public async Task An_answer_to_another_option_is_refused() =>
        await RequireRefusalAsync(async server =>
        {
            await server.GreetAsync();
            await server.ReadOptionAsync();
            await server.SendOptionReplyAsync(99, 1, []);
        });

    [Fact]
    public async Task A_silent_server_is_given_up_in_time()
    {
        await using var server = new FakeNbdServer(server => server.WaitForEverAsync());
        var options = new NbdClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(100) };
        var exception = await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(server.Address, options, CancellationToken.None));
        Assert.Contains("did not answer", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_is_not_an_error_of_the_server()
    {
        await using var server = new FakeNbdServer(server => server.WaitForEverAsync());
        using var cancellation = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => NbdClient.ConnectAsync(server.Address, Options, cancellation.Token));
    }

    [Fact]
    public async Task Nobody_listening_is_an_error()
    {
        using var folder = new TemporaryFolder();
        await Assert.ThrowsAsync<IOException>(() => NbdClient.ConnectAsync(NbdAddress.Unix(folder["nothing"]), Options, CancellationToken.None));
    }
}
