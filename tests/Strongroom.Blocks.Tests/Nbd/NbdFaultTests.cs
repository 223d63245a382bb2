using CsCheck;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

/// <summary>What a server may do wrong after the negotiation, and what it may do although few do.</summary>
public sealed class NbdFaultTests
{
    private static readonly NbdClientOptions Options = new() { ConnectTimeout = TimeSpan.FromSeconds(20), CancellationGrace = TimeSpan.FromMilliseconds(200) };

    private static FakeNbdServer Serve(Func<FakeNbdServer, Task> script, bool isStructured = true, uint blockSize = 1, uint maximumPayload = 32 << 20) =>
        new(async server =>
        {
            await server.NegotiateAsync();
            await script(server);
            await server.WaitForHangUpAsync();
        })
        { IsStructured = isStructured, MinimumBlockSizeBytes = blockSize, MaximumPayloadBytes = maximumPayload };

    private static async Task<byte[]> ReadAsync(NbdClient client, long offset, int length, CancellationToken cancellationToken = default)
    {
        var buffer = Enumerable.Repeat((byte)0xEE, length).ToArray();
        await client.ReadAsync(offset, buffer, cancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None);
        return buffer;
    }

    /// <summary>The fault ends the read with an error and the connection for good.</summary>
    private static async Task RequireBrokenAsync(Func<FakeNbdServer, ulong, Task> fault, string message, bool isStructured = true)
    {
        await using var server = Serve(async server => await fault(server, (await server.ReadRequestAsync()).Cookie), isStructured);
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        var first = await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 4096, 1000));
        Assert.Contains(message, first.Message, StringComparison.Ordinal);
        var second = await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 10));
        Assert.Equal(first.Message, second.Message);
    }

    [Fact]
    public Task Hanging_up_before_the_reply() => RequireBrokenAsync((server, _) => { server.HangUp(); return Task.CompletedTask; }, "broken");

    [Fact]
    public Task Hanging_up_in_the_middle_of_the_data() => RequireBrokenAsync(
        async (server, cookie) =>
        {
            await server.SendChunkAsync(cookie, 1, [.. FakeNbdServer.Big64(4096), .. new byte[500]], length: 1008);
            server.HangUp();
        },
        "broken");

    [Fact]
    public Task A_wrong_magic_number() => RequireBrokenAsync((server, _) => server.SendAsync(new byte[64]), "magic");

    [Fact]
    public Task An_unknown_cookie() => RequireBrokenAsync((server, _) => server.SendDataAsync(999, 4096, new byte[1000]), "not made");

    [Fact]
    public Task An_unknown_chunk_type() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 77, new byte[8]), "type 77");

    [Fact]
    public Task A_chunk_that_belongs_to_another_command() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 5, new byte[12]), "type 5");

    [Fact]
    public Task A_chunk_of_4_gigabytes() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 1, new byte[8], length: uint.MaxValue), "4294967295");

    [Fact]
    public Task An_error_chunk_of_4_gigabytes() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 0x8001, new byte[8], length: uint.MaxValue), "4294967295");

    [Fact]
    public Task An_error_chunk_whose_text_is_longer_than_itself() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 0x8001, [0, 0, 0, 5, 0xFF, 0xFF]), "length");

    [Fact]
    public Task An_error_chunk_without_an_error() => RequireBrokenAsync((server, cookie) => server.SendErrorAsync(cookie, 0, ""), "without an error");

    [Fact]
    public Task A_chunk_of_no_data() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, 4096, []), "length of 8");

    [Fact]
    public Task Data_before_the_range() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, 4095, new byte[1000]), "outside");

    [Fact]
    public Task Data_after_the_range() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, 4097, new byte[1000]), "outside");

    [Fact]
    public Task Data_at_an_offset_that_overflows() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, -1, new byte[1000]), "outside");

    [Fact]
    public Task A_hole_beyond_the_range() => RequireBrokenAsync((server, cookie) => server.SendHoleAsync(cookie, 4096, uint.MaxValue), "outside");

    [Fact]
    public Task Data_that_comes_twice() => RequireBrokenAsync(
        async (server, cookie) =>
        {
            await server.SendDataAsync(cookie, 4096, new byte[600], isLast: false);
            await server.SendDataAsync(cookie, 4596, new byte[500]);
        },
        "twice");

    [Fact]
    public Task Data_that_does_not_come_at_all() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, 4096, new byte[999]), "without sending all");

    [Fact]
    public Task An_end_without_data() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 0, []), "without sending all");

    [Fact]
    public async Task A_read_in_crumbs_that_never_join()
    {
        await using var server = Serve(async server =>
        {
            var (_, cookie, _, length) = await server.ReadRequestAsync();
            for (var offset = 0; offset < length; offset += 2)
                await server.SendDataAsync(cookie, offset, [1], isLast: false);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        var exception = await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 1 << 20));
        Assert.Contains("1024 gaps", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task An_empty_chunk_that_is_not_the_last() => RequireBrokenAsync((server, cookie) => server.SendChunkAsync(cookie, 0, [], isLast: false), "not the last");

    [Fact]
    public Task A_simple_reply_where_structured_ones_were_agreed() => RequireBrokenAsync(
        (server, cookie) => server.SendAsync([.. FakeNbdServer.Big32(0x67446698), .. FakeNbdServer.Big32(0), .. FakeNbdServer.Big64(cookie), .. new byte[1000]]),
        "simple reply");

    [Fact]
    public Task A_structured_reply_that_was_not_agreed() => RequireBrokenAsync((server, cookie) => server.SendDataAsync(cookie, 4096, new byte[1000]), "magic", isStructured: false);

    [Fact]
    public async Task An_error_of_one_request_leaves_the_connection_good()
    {
        await using var server = Serve(async server =>
        {
            var first = await server.ReadRequestAsync();
            await server.SendDataAsync(first.Cookie, 0, [1, 2, 3], isLast: false);
            await server.SendErrorAsync(first.Cookie, 5, "bad sector");
            var second = await server.ReadRequestAsync();
            await server.SendChunkAsync(second.Cookie, 0x8002, [0, 0, 0, 28, 0, 2, (byte)'n', (byte)'o', .. FakeNbdServer.Big64(3)]);
            var third = await server.ReadRequestAsync();
            await server.SendChunkAsync(third.Cookie, 0x8ABC, [0, 0, 0, 108, 0, 0, 1, 2, 3]);
            var fourth = await server.ReadRequestAsync();
            await server.SendDataAsync(fourth.Cookie, 0, [4, 5, 6]);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        Assert.Contains("input/output error (bad sector)", (await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 10))).Message, StringComparison.Ordinal);
        Assert.Contains("no space left (no)", (await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 10))).Message, StringComparison.Ordinal);
        Assert.Contains("shutting down", (await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 10))).Message, StringComparison.Ordinal);
        Assert.Equal([4, 5, 6], await ReadAsync(client, 0, 3));
    }

    [Fact]
    public async Task Simple_replies_serve_where_the_server_knows_no_better()
    {
        await using var server = Serve(
            async server =>
            {
                var first = await server.ReadRequestAsync();
                await server.SendAsync([.. FakeNbdServer.Big32(0x67446698), .. FakeNbdServer.Big32(5), .. FakeNbdServer.Big64(first.Cookie)]);
                var second = await server.ReadRequestAsync();
                await server.SendAsync([.. FakeNbdServer.Big32(0x67446698), .. FakeNbdServer.Big32(0), .. FakeNbdServer.Big64(second.Cookie), 8, 9]);
            },
            isStructured: false);
        var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        await using var source = new NbdBlockSource(client, changedContext: null);
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 2));
        Assert.Equal([8, 9], await ReadAsync(client, 0, 2));
        Assert.Equal([new BlockExtent(0, 1 << 20, BlockKind.Data)], await Sources.MapAsync(source));
    }

    [Fact]
    public async Task Pieces_in_any_order_make_the_whole() =>
        await Gen.Int[1, 20].Array[1, 30].SelectMany(lengths => Gen.Shuffle(Enumerable.Range(0, lengths.Length).ToArray()).Select(order => (lengths, order))).SampleAsync(
            async sample =>
            {
                var (lengths, order) = sample;
                var content = Sources.Noise(lengths.Sum(), lengths.Length);
                var starts = lengths.Select((_, index) => lengths.Take(index).Sum()).ToArray();
                foreach (var hole in order.Where(index => index % 3 == 0))
                    content.AsSpan(starts[hole], lengths[hole]).Clear();
                await using var server = Serve(async server =>
                {
                    var (_, cookie, offset, _) = await server.ReadRequestAsync();
                    foreach (var index in order)
                    {
                        if (index % 3 == 0)
                            await server.SendHoleAsync(cookie, offset + starts[index], (uint)lengths[index], isLast: false);
                        else
                            await server.SendDataAsync(cookie, offset + starts[index], content[starts[index]..(starts[index] + lengths[index])], isLast: false);
                    }

                    await server.SendChunkAsync(cookie, 0, []);
                });
                await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
                Assert.Equal(content, await ReadAsync(client, 777, content.Length));
            },
            iter: 40,
            threads: 1);

    [Fact]
    public async Task Answers_may_come_in_another_order_than_the_requests()
    {
        await using var server = Serve(async server =>
        {
            var requests = new List<(ushort Type, ulong Cookie, long Offset, uint Length)>();
            for (var index = 0; index < 10; index++)
                requests.Add(await server.ReadRequestAsync());
            requests.Reverse();
            foreach (var request in requests)
                await server.SendDataAsync(request.Cookie, request.Offset, [.. Enumerable.Repeat((byte)(request.Offset / 100), 100)]);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        var reads = Enumerable.Range(0, 10).Select(index => ReadAsync(client, index * 100, 100)).ToArray();
        var results = await Task.WhenAll(reads);
        for (var index = 0; index < 10; index++)
            Assert.All(results[index], value => Assert.Equal(index, value));
    }

    [Fact]
    public async Task No_more_requests_are_on_their_way_than_allowed()
    {
        var cameTooEarly = false;
        await using var server = Serve(async server =>
        {
            var requests = new List<(ushort Type, ulong Cookie, long Offset, uint Length)>();
            for (var index = 0; index < 4; index++)
                requests.Add(await server.ReadRequestAsync());
            var fifth = server.ReadRequestAsync();
            await Task.Delay(100);
            cameTooEarly = fifth.IsCompleted;
            await server.SendDataAsync(requests[0].Cookie, requests[0].Offset, [1]);
            requests[0] = await fifth;
            foreach (var request in requests)
                await server.SendDataAsync(request.Cookie, request.Offset, [1]);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options with { MaximumRequestsInFlight = 4 }, CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(index => ReadAsync(client, index, 1)));
        Assert.False(cameTooEarly);
    }

    [Fact]
    public async Task A_cancelled_read_returns_and_others_go_on_when_the_server_answers_in_time()
    {
        var asked = new TaskCompletionSource();
        await using var server = Serve(async server =>
        {
            var first = await server.ReadRequestAsync();
            asked.SetResult();
            await Task.Delay(50);
            await server.SendDataAsync(first.Cookie, 0, new byte[100]);
            var second = await server.ReadRequestAsync();
            await server.SendDataAsync(second.Cookie, 0, [1]);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options with { CancellationGrace = TimeSpan.FromSeconds(10) }, CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        var read = ReadAsync(client, 0, 100, cancellation.Token);
        await asked.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Assert.Equal([1], await ReadAsync(client, 0, 1));
    }

    [Fact]
    public async Task A_server_that_stops_answering_is_given_up_with_all_that_was_asked()
    {
        await using var server = Serve(async server =>
        {
            var first = await server.ReadRequestAsync();
            await server.SendDataAsync(first.Cookie, 0, [1]);
            await server.WaitForEverAsync();
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options with { AnswerTimeout = TimeSpan.FromMilliseconds(300) }, CancellationToken.None);
        Assert.Equal([1], await ReadAsync(client, 0, 1));
        foreach (var read in Enumerable.Range(0, 20).Select(index => ReadAsync(client, index, 100)).ToArray())
            Assert.Contains("did not answer within 0.3 s", (await Assert.ThrowsAsync<IOException>(() => read)).Message, StringComparison.Ordinal);
        Assert.True(client.IsBroken);
    }

    [Fact]
    public async Task A_server_that_goes_on_with_one_answer_for_ever_is_given_up()
    {
        await using var server = Serve(async server =>
        {
            var (_, cookie, _, _) = await server.ReadRequestAsync();
            while (true)
                await server.SendChunkAsync(cookie, 0x8001, [0, 0, 0, 5, 0, 0], isLast: false);
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options with { AnswerTimeout = TimeSpan.FromMilliseconds(300) }, CancellationToken.None);
        Assert.Contains("did not answer", (await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_read_that_is_never_answered_breaks_the_connection()
    {
        var asked = new TaskCompletionSource();
        await using var server = Serve(async server =>
        {
            await server.ReadRequestAsync();
            asked.SetResult();
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        var read = ReadAsync(client, 0, 100, cancellation.Token);
        await asked.Task;
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 1));
    }

    [Fact]
    public async Task Closing_ends_the_requests_under_way()
    {
        var asked = new TaskCompletionSource();
        await using var server = Serve(async server =>
        {
            await server.ReadRequestAsync();
            asked.SetResult();
        });
        var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        var read = ReadAsync(client, 0, 100);
        await asked.Task;
        await client.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => read);
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(client, 0, 100));
        await client.DisposeAsync();
    }

    [Theory]
    [InlineData(16384)]
    [InlineData(4096)]
    public async Task Large_blocks_and_small_payloads_are_hidden_from_the_reader(uint maximumPayload)
    {
        var requests = 0;
        var content = Sources.Noise(1 << 20, 4);
        await using var server = Serve(
            async server =>
            {
                while (true)
                {
                    var (type, cookie, offset, length) = await server.ReadRequestAsync();
                    if (type != 0)
                        return;
                    Assert.Equal(0, offset % 4096);
                    Assert.Equal(0u, length % 4096);
                    Assert.True(length >= 1 && length <= maximumPayload);
                    requests++;
                    await server.SendDataAsync(cookie, offset, content[(int)offset..(int)(offset + length)]);
                }
            },
            blockSize: 4096,
            maximumPayload: maximumPayload);
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        await Gen.Select(Gen.Int[0, 900_000], Gen.Int[0, 100_000]).SampleAsync(
            async (offset, length) => Assert.Equal(content[offset..(offset + length)], await ReadAsync(client, offset, length)),
            iter: 50,
            threads: 1);
        Assert.Equal(content, await ReadAsync(client, 0, content.Length));
        requests = 0;
        Assert.Equal(content[1..], await ReadAsync(client, 1, content.Length - 1));
        Assert.Equal(content.Length / (int)maximumPayload, requests);
    }
}
