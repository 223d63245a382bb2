using Strongroom.Blocks.Nbd;

namespace Strongroom.Blocks.Tests.Nbd;

public sealed class NbdMapTests
{
    private static readonly NbdClientOptions Options = new() { ConnectTimeout = TimeSpan.FromSeconds(20) };

    private static byte[] Status(params (uint Length, uint Flags)[] runs) =>
        [.. FakeNbdServer.Big32(7), .. runs.SelectMany(run => FakeNbdServer.Big32(run.Length).Concat(FakeNbdServer.Big32(run.Flags)))];

    private static async Task<List<BlockExtent>> MapAsync(long length, params byte[][] answers)
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.NegotiateAsync();
            foreach (var answer in answers)
            {
                var request = await server.ReadRequestAsync();
                Assert.Equal(7, request.Type);
                await server.SendChunkAsync(request.Cookie, 5, answer);
            }

            await server.WaitForHangUpAsync();
        })
        { LengthBytes = length };
        await using var source = new NbdBlockSource(await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None), changedContext: null);
        return await Sources.MapAsync(source);
    }

    [Fact]
    public async Task Short_answers_are_continued_and_neighbours_of_a_kind_are_joined() =>
        Assert.Equal(
            [new BlockExtent(0, 1000, BlockKind.Data), new BlockExtent(1000, 9240, BlockKind.Zero)],
            await MapAsync(10240, Status((400, 0), (600, 0)), Status((1000, 3)), Status((50, 2), (8190, 3))));

    [Fact]
    public async Task A_run_that_reaches_beyond_the_end_is_cut() =>
        Assert.Equal([new BlockExtent(0, 10240, BlockKind.Data)], await MapAsync(10240, Status((uint.MaxValue, 0))));

    [Fact]
    public async Task A_hole_that_is_not_said_to_be_zero_is_read() =>
        Assert.Equal([new BlockExtent(0, 512, BlockKind.Data)], await MapAsync(512, Status((512, 1))));

    [Fact]
    public async Task The_bytes_that_round_up_to_a_sector_belong_to_the_last_run() =>
        Assert.Equal([new BlockExtent(0, 512, BlockKind.Data), new BlockExtent(512, 512, BlockKind.Zero)], await MapAsync(1000, Status((512, 0), (488, 3))));

    [Fact]
    public async Task Runs_of_no_length_wrong_contexts_and_odd_lengths_are_refused()
    {
        await Assert.ThrowsAsync<IOException>(() => MapAsync(512, Status((0, 0))));
        await Assert.ThrowsAsync<IOException>(() => MapAsync(512, [.. FakeNbdServer.Big32(8), .. new byte[8]]));
        await Assert.ThrowsAsync<IOException>(() => MapAsync(512, new byte[13]));
        await Assert.ThrowsAsync<IOException>(() => MapAsync(512, Status()));
    }

    [Fact]
    public async Task A_bitmap_that_the_server_does_not_have_is_an_error()
    {
        await using var server = new FakeNbdServer(async server =>
        {
            await server.NegotiateAsync();
            await server.WaitForHangUpAsync();
        });
        await using var client = await NbdClient.ConnectAsync(server.Address, Options, CancellationToken.None);
        Assert.Throws<DirtyBitmapUnusableException>(() => new NbdBlockSource(client, NbdMetaContexts.DirtyBitmap("b")));
    }
}
