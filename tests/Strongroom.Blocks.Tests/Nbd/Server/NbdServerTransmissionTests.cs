using System.Buffers.Binary;
using CsCheck;
using Strongroom.Blocks.Nbd;
using Strongroom.Blocks.Nbd.Server;

namespace Strongroom.Blocks.Tests.Nbd.Server;

public sealed class NbdServerTransmissionTests
{
    [Fact]
    public async Task Any_range_reads_as_it_is_and_the_map_is_sound()
    {
        await using var lab = new ServerLab(ServerLab.Sample((1 << 20) + 512));
        await using var source = new NbdBlockSource(await lab.ConnectAsync(), changedContext: null);
        Assert.Equal(lab.Content, await Sources.ReadAllAsync(source));
        var map = await Sources.RequireSoundMapAsync(source, lab.Content);
        Assert.Contains(map, extent => extent.Kind == BlockKind.Zero);

        await Gen.Select(Gen.Int[0, lab.Content.Length - 1], Gen.Int[1, 300_000]).SampleAsync(
            async range =>
            {
                var buffer = new byte[Math.Min(range.Item2, lab.Content.Length - range.Item1)];
                await source.ReadAsync(range.Item1, buffer, CancellationToken.None);
                Assert.True(buffer.AsSpan().SequenceEqual(lab.Content.AsSpan(range.Item1, buffer.Length)));
            },
            iter: 200);
    }

    [Fact]
    public async Task Many_clients_with_many_requests_each_get_their_own_answers()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        await Parallel.ForAsync(0, 4, async (seed, cancellationToken) =>
        {
            await using var client = await lab.ConnectAsync();
            var random = new Random(seed);
            var offsets = Enumerable.Range(0, 200).Select(_ => random.Next(lab.Content.Length - 5000)).ToList();
            await Task.WhenAll(offsets.Select(async offset =>
            {
                var buffer = new byte[5000];
                await client.ReadAsync(offset, buffer, cancellationToken);
                Assert.True(buffer.AsSpan().SequenceEqual(lab.Content.AsSpan(offset, 5000)));
            }));
        });
    }

    [Fact]
    public async Task A_later_request_is_answered_while_an_earlier_one_waits()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab);
        var gate = new TaskCompletionSource();
        lab.Disk.Gate = gate.Task;
        await client.RequestAsync(0, 1, 0, 4096);
        await client.RequestAsync(3, 2, 0, 0); // flush
        Assert.Equal(2ul, (await client.ChunkAsync()).Cookie);
        gate.SetResult();
        Assert.Equal(1ul, (await client.ChunkAsync()).Cookie);
    }

    [Fact]
    public async Task Zeros_go_as_a_hole_unless_one_chunk_was_asked_for()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab);
        const int quarter = 1 << 18;
        await client.RequestAsync(0, 5, quarter - 100, quarter + 200);
        var (before, hole, after) = (await client.ChunkAsync(), await client.ChunkAsync(), await client.ChunkAsync());
        Assert.Equal([(ushort)1, (ushort)2, (ushort)1], [before.Type, hole.Type, after.Type]);
        Assert.Equal([(ushort)0, (ushort)0, (ushort)1], [before.Flags, hole.Flags, after.Flags]);
        Assert.Equal(quarter - 100, BinaryPrimitives.ReadInt64BigEndian(before.Data));
        Assert.Equal(lab.Content.AsSpan(quarter - 100, 100).ToArray(), before.Data[8..]);
        Assert.Equal((quarter, quarter), ((int)BinaryPrimitives.ReadInt64BigEndian(hole.Data), BinaryPrimitives.ReadInt32BigEndian(hole.Data.AsSpan(8))));
        Assert.Equal(lab.Content.AsSpan(2 * quarter, 100).ToArray(), after.Data[8..]);

        await client.RequestAsync(0, 6, quarter - 100, quarter + 200, flags: 4);
        var whole = await client.ChunkAsync();
        Assert.Equal((1, 1, quarter + 208), (whole.Type, whole.Flags, whole.Data.Length));
    }

    [Fact]
    public async Task A_client_without_structured_replies_is_served()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab, structured: false);
        await client.RequestAsync(0, 7, 1000, 3000);
        var reply = await client.ReceiveAsync(16 + 3000);
        Assert.Equal([.. RawNbdClient.Big32(0x67446698), .. RawNbdClient.Big32(0), .. RawNbdClient.Big64(7)], reply[..16]);
        Assert.Equal(lab.Content.AsSpan(1000, 3000).ToArray(), reply[16..]);
        await client.RequestAsync(0, 8, (ulong)lab.Content.Length, 1);
        var refusal = await client.ReceiveAsync(16);
        Assert.Equal([.. RawNbdClient.Big32(0x67446698), .. RawNbdClient.Big32(22), .. RawNbdClient.Big64(8)], refusal);
    }

    [Theory]
    [InlineData(0, 0, 0u, 0, 22u)] // an empty read
    [InlineData(0, (1 << 20) - 1, 2u, 0, 22u)] // over the end
    [InlineData(0, -1, 1u, 0, 22u)] // far over the end, where offset and length add up to 0
    [InlineData(0, 0, (32u << 20) + 1, 0, 22u)] // longer than was said to be served
    [InlineData(0, 0, 512u, 2, 22u)] // a flag of another command
    [InlineData(2 + 2, 0, 512u, 0, 1u)] // trim
    [InlineData(6, 0, 512u, 0, 1u)] // write zeroes
    [InlineData(3, 512, 0u, 0, 22u)] // a flush with an offset
    [InlineData(3, 0, 0u, 0, 0u)]
    [InlineData(5, 0, 512u, 0, 0u)] // cache
    [InlineData(5, 1 << 20, 512u, 0, 22u)]
    [InlineData(7, 0, 512u, 0, 22u)] // block status that was not agreed on
    [InlineData(99, 0, 0u, 0, 22u)] // a command that does not exist
    public async Task A_request_that_cannot_be_done_is_refused_and_the_next_one_is_served(int command, long offset, uint length, int flags, uint error)
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab);
        await client.RequestAsync((ushort)command, 9, (ulong)offset, length, (ushort)flags);
        Assert.Equal(error, await client.ErrorAsync(9));
        await client.RequestAsync(0, 10, 0, 16);
        Assert.Equal(lab.Content[..16], (await client.ChunkAsync()).Data[8..]);
    }

    [Fact]
    public async Task A_write_is_refused_and_its_data_skipped()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        var before = lab.Content.ToArray();
        using var client = await RawNbdClient.OpenAsync(lab);
        await client.RequestAsync(1, 9, 0, 70_000, payload: Sources.Noise(70_000, 5));
        Assert.Equal(1u, await client.ErrorAsync(9));
        await client.RequestAsync(0, 10, 0, 16);
        Assert.Equal(before[..16], (await client.ChunkAsync()).Data[8..]);
        Assert.Equal(before, lab.Content);
    }

    [Fact]
    public async Task A_write_too_long_to_be_skipped_or_a_wrong_magic_number_ends_the_connection_and_no_other()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var good = await RawNbdClient.OpenAsync(lab);
        using (var client = await RawNbdClient.OpenAsync(lab))
        {
            await client.RequestAsync(1, 9, 0, uint.MaxValue);
            await client.RequireHangUpAsync();
        }

        using (var client = await RawNbdClient.OpenAsync(lab))
        {
            await client.SendAsync(new byte[28]);
            await client.RequireHangUpAsync();
        }

        await good.RequestAsync(0, 10, 0, 16);
        Assert.Equal(lab.Content[..16], (await good.ChunkAsync()).Data[8..]);
    }

    [Fact]
    public async Task Block_status_is_cut_to_the_request_and_one_extent_is_one()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab, allocation: true);
        const uint quarter = 1 << 18;
        await client.RequestAsync(7, 1, quarter - 512, quarter + 1024);
        var status = await client.ChunkAsync();
        Assert.Equal((5, 1), (status.Type, status.Flags));
        Assert.Equal([1u, 512, 0, quarter, 3, 512, 0], Numbers(status.Data));
        await client.RequestAsync(7, 2, quarter - 512, quarter + 1024, flags: 8);
        Assert.Equal([1u, 512, 0], Numbers((await client.ChunkAsync()).Data));
        await client.RequestAsync(7, 3, 3 * quarter, quarter);
        Assert.Equal([1u, quarter, 0], Numbers((await client.ChunkAsync()).Data));
        Assert.Equal(1, lab.Disk.MapsBegun);
        await client.RequestAsync(7, 4, 0, 0);
        Assert.Equal(22u, await client.ErrorAsync(4));
    }

    [Fact]
    public async Task A_failing_disk_fails_the_request_and_is_told()
    {
        var failures = new List<Exception>();
        await using var lab = new ServerLab(ServerLab.Sample(), new NbdServerOptions { OnFailure = failures.Add });
        lab.Disk.BadByte = 5000;
        using var client = await RawNbdClient.OpenAsync(lab);
        await client.RequestAsync(0, 1, 4096, 4096);
        Assert.Equal(5u, await client.ErrorAsync(1));
        Assert.Contains("bad sector", Assert.Single(failures).Message, StringComparison.Ordinal);
        await client.RequestAsync(0, 2, 0, 16);
        Assert.Equal(2ul, (await client.ChunkAsync()).Cookie);
    }

    [Fact]
    public async Task What_was_asked_before_the_goodbye_is_answered()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab);
        var gate = new TaskCompletionSource();
        lab.Disk.Gate = gate.Task;
        await client.RequestAsync(0, 1, 0, 4096);
        await client.RequestAsync(2, 2, 0, 0);
        gate.SetResult();
        Assert.Equal(1ul, (await client.ChunkAsync()).Cookie);
        await client.RequireHangUpAsync();
    }

    private static uint[] Numbers(byte[] data) => [.. data.Chunk(4).Select(number => BinaryPrimitives.ReadUInt32BigEndian(number))];
}
