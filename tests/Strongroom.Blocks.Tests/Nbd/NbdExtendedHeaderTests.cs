using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>Extended headers, which neither Debian 12's QEMU nor its nbdkit speak: against a server of the tests' own.</summary>
public sealed class NbdExtendedHeaderTests
{
    private const long Huge = 1L << 50;

    private static readonly NbdClientOptions Options = new() { ConnectTimeout = TimeSpan.FromSeconds(20), CancellationGrace = TimeSpan.FromMilliseconds(200) };

    private static FakeNbdServer Serve(Func<FakeNbdServer, Task> script, long length = Huge) =>
        new(async server =>
        {
            await server.NegotiateAsync();
            await script(server);
            await server.WaitForHangUpAsync();
        })
        { IsExtended = true, LengthBytes = length };

    private static byte[] Status(uint count, params (ulong Length, ulong Flags)[] runs) =>
        [.. FakeNbdServer.Big32(7), .. FakeNbdServer.Big32(count), .. runs.SelectMany(run => FakeNbdServer.Big64(run.Length).Concat(FakeNbdServer.Big64(run.Flags)))];

    private static async Task<byte[]> ReadAsync(NbdClient client, long offset, int length)
    {
        var buffer = new byte[length];
        await client.ReadAsync(offset, buffer, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        return buffer;
    }

    private static async Task RequireBrokenAsync(Func<FakeNbdServer, ulong, Task> fault, string message)
    {
        await using var server = Serve(async server => await fault(server, (await server.ReadExtendedRequestAsync()).Cookie));
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        Assert.Contains(message, (await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 4096, 1000))).Message, StringComparison.Ordinal);
        Assert.True(client.IsBroken);
    }

    private static async Task RequireRefusedStatusAsync(ushort type, byte[] payload)
    {
        await using var server = Serve(async server => await server.SendExtendedChunkAsync((await server.ReadExtendedRequestAsync()).Cookie, 0, type, payload));
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        await Assert.ThrowsAsync<IOException>(() => client.BlockStatusAsync(0, Huge, CancellationToken.None));
        Assert.True(client.IsBroken);
    }

    [Fact]
    public async Task Data_holes_and_errors_come_in_extended_chunks()
    {
        await using var server = Serve(async server =>
        {
            var (type, cookie, offset, length) = await server.ReadExtendedRequestAsync();
            Assert.Equal((0, 4096L, 10L), (type, offset, length));
            await server.SendExtendedChunkAsync(cookie, offset, 1, [.. FakeNbdServer.Big64(4096), 1, 2, 3], isLast: false);
            await server.SendExtendedChunkAsync(cookie, offset, 2, [.. FakeNbdServer.Big64(4099), .. FakeNbdServer.Big32(7)]);
            var second = await server.ReadExtendedRequestAsync();
            await server.SendExtendedChunkAsync(second.Cookie, second.Offset, 0x8001, [0, 0, 0, 5, 0, 2, (byte)'n', (byte)'o']);
            var third = await server.ReadExtendedRequestAsync();
            await server.SendExtendedChunkAsync(third.Cookie, third.Offset, 1, [.. FakeNbdServer.Big64((ulong)third.Offset), 9]);
            Assert.Equal(2, (await server.ReadExtendedRequestAsync()).Type);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        Assert.Equal(NbdHeaders.Extended, client.Export.Headers);
        Assert.Equal([1, 2, 3, 0, 0, 0, 0, 0, 0, 0], await ReadAsync(client, 4096, 10));
        Assert.Contains("input/output error (no)", (await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 10))).Message, StringComparison.Ordinal);
        Assert.Equal([9], await ReadAsync(client, Huge - 1, 1));
    }

    [Fact]
    public async Task A_disk_of_a_pebibyte_is_described_in_one_question()
    {
        await using var server = Serve(async server =>
        {
            var (type, cookie, offset, length) = await server.ReadExtendedRequestAsync();
            Assert.Equal((7, 0L, Huge), (type, offset, length));
            await server.SendExtendedChunkAsync(cookie, offset, 6, Status(3, (1UL << 40, 0), (1UL << 49, 3), (1UL << 62, 0)));
        });
        await using var source = await NbdBlockSource.ConnectAsync(server.Address, new NbdSourceOptions { Client = Options }, CancellationToken.None);
        Assert.Equal(
            [
                new BlockExtent(0, 1L << 40, BlockKind.Data),
                new BlockExtent(1L << 40, 1L << 49, BlockKind.Zero),
                new BlockExtent((1L << 40) + (1L << 49), Huge - (1L << 40) - (1L << 49), BlockKind.Data),
            ],
            await Sources.MapAsync(source));
    }

    [Fact]
    public Task Another_offset_than_was_asked_for() => RequireBrokenAsync((server, cookie) => server.SendExtendedChunkAsync(cookie, 4097, 0, []), "another offset");

    [Fact]
    public Task A_chunk_of_16_exabytes() => RequireBrokenAsync((server, cookie) => server.SendExtendedChunkAsync(cookie, 4096, 1, new byte[9], length: ulong.MaxValue), "18446744073709551615");

    [Fact]
    public Task A_chunk_whose_length_fits_only_when_it_is_cut_to_32_bits() =>
        RequireBrokenAsync((server, cookie) => server.SendExtendedChunkAsync(cookie, 4096, 1, [.. FakeNbdServer.Big64(4096), .. new byte[1000]], length: (1UL << 32) + 1008), "length");

    [Fact]
    public Task A_compact_chunk_where_extended_ones_were_agreed() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, 4096, new byte[1000]), "magic");

    [Fact]
    public Task A_simple_reply_where_extended_ones_were_agreed() => RequireBrokenAsync(
        (server, cookie) => server.SendAsync([.. FakeNbdServer.Big32(0x67446698), .. FakeNbdServer.Big32(0), .. FakeNbdServer.Big64(cookie), .. new byte[1000]]),
        "simple reply");

    [Fact]
    public async Task Status_that_is_not_as_agreed_is_refused()
    {
        await RequireRefusedStatusAsync(6, Status(2, (512, 0)));
        await RequireRefusedStatusAsync(6, Status(0));
        await RequireRefusedStatusAsync(6, Status(1, (0, 0)));
        await RequireRefusedStatusAsync(6, Status(1, (1UL << 63, 0)));
        await RequireRefusedStatusAsync(6, [.. Status(1, (512, 0)), 0]);
        await RequireRefusedStatusAsync(5, [.. FakeNbdServer.Big32(7), .. FakeNbdServer.Big32(512), .. FakeNbdServer.Big32(0)]);
    }

    [Fact]
    public async Task The_count_of_runs_may_be_left_out()
    {
        await using var server = Serve(async server => await server.SendExtendedChunkAsync((await server.ReadExtendedRequestAsync()).Cookie, 0, 6, Status(0, (1, 0), (2, 1UL << 40))));
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        var status = await client.BlockStatusAsync(0, Huge, CancellationToken.None);
        Assert.Equal([new NbdExtent(1, 0), new NbdExtent(2, 1UL << 40)], status["base:allocation"]);
    }
}
