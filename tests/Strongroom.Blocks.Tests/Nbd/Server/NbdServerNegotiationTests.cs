using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Blocks.Nbd.Server;

namespace Strongroom.Blocks.Tests.Nbd.Server;

public sealed class NbdServerNegotiationTests
{
    private const uint Error = 0x8000_0000;
    private const ushort ReadOnlyFlags = 1 | 2 | 4 | 0x100 | 0x400;

    [Fact]
    public async Task An_export_is_described_and_opened()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.ConnectAsync(lab);
        var info = await client.OptionAsync(6, RawNbdClient.Go("", 3, 1, 77));
        Assert.Equal([3u, 3, 3, 1], info.Select(reply => reply.Type));
        Assert.Equal([.. RawNbdClient.Big16(0), .. RawNbdClient.Big64(1 << 20), .. RawNbdClient.Big16(ReadOnlyFlags)], info[0].Data);
        Assert.Equal(RawNbdClient.Big16(1), info[1].Data);
        Assert.Equal([.. RawNbdClient.Big16(3), .. RawNbdClient.Big32(1), .. RawNbdClient.Big32(4096), .. RawNbdClient.Big32(32 << 20)], info[2].Data);

        // After structured replies were agreed on, unfragmented reads are offered, too.
        await client.OptionAsync(8, []);
        var go = await client.OptionAsync(7, RawNbdClient.Go(""));
        Assert.Equal(ReadOnlyFlags | 0x80, BinaryPrimitives.ReadUInt16BigEndian(go[0].Data.AsSpan(10)));
        await client.RequestAsync(0, 1, 0, 16);
        Assert.Equal(lab.Content[..16], (await client.ChunkAsync()).Data[8..]);
    }

    [Theory]
    [InlineData(3u, 10)]
    [InlineData(1u, 134)]
    public async Task An_old_client_opens_the_export_by_name(uint flags, int answerBytes)
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.ConnectAsync(lab, flags);
        await client.SendOptionAsync(1, []);
        var answer = await client.ReceiveAsync(answerBytes);
        Assert.Equal(1ul << 20, BinaryPrimitives.ReadUInt64BigEndian(answer));
        Assert.All(answer[10..], value => Assert.Equal(0, value));
        await client.RequestAsync(0, 7, 0, 16);
        Assert.Equal(lab.Content[..16], (await client.ReceiveAsync(32))[16..]);
    }

    [Fact]
    public async Task A_named_export_is_listed_and_another_one_is_unknown()
    {
        await using var lab = new ServerLab(ServerLab.Sample(), new NbdServerOptions { ExportName = "disk" });
        using var client = await RawNbdClient.ConnectAsync(lab);
        var list = await client.OptionAsync(3, []);
        Assert.Equal([2u, 1], list.Select(reply => reply.Type));
        Assert.Equal(RawNbdClient.Text("disk"), list[0].Data);
        Assert.Equal(Error + 6, Assert.Single(await client.OptionAsync(7, RawNbdClient.Go("tape"))).Type);
        Assert.Equal(1u, (await client.OptionAsync(6, RawNbdClient.Go("")))[^1].Type);
        Assert.Equal(1u, (await client.OptionAsync(7, RawNbdClient.Go("disk")))[^1].Type);

        using var old = await RawNbdClient.ConnectAsync(lab);
        await old.SendOptionAsync(1, Encoding.ASCII.GetBytes("tape"));
        await old.RequireHangUpAsync();
    }

    [Fact]
    public async Task Contexts_are_listed_set_and_taken_back()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.ConnectAsync(lab);
        Assert.Equal(Error + 3, Assert.Single(await client.OptionAsync(10, RawNbdClient.Contexts("", "base:allocation"))).Type);
        await client.OptionAsync(8, []);
        foreach (var query in (string[][])[[], ["base:"], ["x:y", "base:allocation"]])
        {
            var listed = await client.OptionAsync(9, RawNbdClient.Contexts("", query));
            Assert.Equal("base:allocation", Encoding.ASCII.GetString(listed[0].Data.AsSpan(4)));
        }

        Assert.Equal(2, (await client.OptionAsync(10, RawNbdClient.Contexts("", "base:allocation"))).Count);
        Assert.Equal(1u, Assert.Single(await client.OptionAsync(10, RawNbdClient.Contexts("", "qemu:dirty-bitmap:x"))).Type);
        await client.OptionAsync(7, RawNbdClient.Go(""));

        // The last request counts, and it asked for nothing that there is.
        await client.RequestAsync(7, 1, 0, 512);
        Assert.Equal(22u, await client.ErrorAsync(1));
    }

    public static TheoryData<uint, byte[], uint> BadOptions => new()
    {
        { 3, new byte[1], Error + 3 },
        { 8, new byte[1], Error + 3 },
        { 5, [], Error + 1 }, // TLS
        { 11, [], Error + 1 }, // extended headers
        { 4711, new byte[60_000], Error + 1 },
        { 7, [], Error + 3 },
        { 7, [0, 0, 0, 9, 1], Error + 3 }, // a name longer than the data
        { 7, [255, 255, 255, 255, 0, 0], Error + 3 },
        { 7, [0, 0, 0, 0, 0, 2, 0, 3], Error + 3 }, // fewer requests than announced
        { 7, [0, 0, 0, 0, 0, 0, 0, 3], Error + 3 }, // more
        { 10, [], Error + 3 },
        { 10, [0, 0, 0, 0, 255, 255, 255, 255], Error + 3 },
        { 10, [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 65, 66], Error + 3 },
    };

    [Theory]
    [MemberData(nameof(BadOptions))]
    public async Task A_bad_option_is_refused_and_the_next_one_is_answered(uint option, byte[] data, uint error)
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.ConnectAsync(lab);
        if (option == 10)
            await client.OptionAsync(8, []);
        Assert.Equal(error, Assert.Single(await client.OptionAsync(option, data)).Type);
        Assert.Equal(1u, (await client.OptionAsync(7, RawNbdClient.Go("")))[^1].Type);
    }

    [Fact]
    public async Task What_cannot_be_answered_ends_the_connection()
    {
        await using var lab = new ServerLab(ServerLab.Sample());
        using (var client = await RawNbdClient.ConnectAsync(lab, flags: 0xff))
            await client.RequireHangUpAsync();
        using (var client = await RawNbdClient.ConnectAsync(lab))
        {
            await client.SendOptionAsync(7, [], announcedLength: 1 << 30);
            await client.RequireHangUpAsync();
        }

        using (var client = await RawNbdClient.ConnectAsync(lab))
        {
            await client.SendAsync(new byte[16]);
            await client.RequireHangUpAsync();
        }

        using (var client = await RawNbdClient.ConnectAsync(lab))
        {
            for (var i = 0; i < 64; i++)
                await client.OptionAsync(6, RawNbdClient.Go(""));
            await client.RequireHangUpAsync();
        }

        using (var client = await RawNbdClient.ConnectAsync(lab))
        {
            Assert.Equal(1u, Assert.Single(await client.OptionAsync(2, [])).Type);
            await client.RequireHangUpAsync();
        }
    }

    [Fact]
    public async Task A_client_that_only_connects_is_closed_in_time_and_one_too_many_at_once()
    {
        var time = new FakeTimeProvider();
        await using var lab = new ServerLab(ServerLab.Sample(), new NbdServerOptions { Connections = 2, Time = time });
        using var served = await RawNbdClient.OpenAsync(lab);
        using var silent = await RawNbdClient.ConnectAsync(lab);
        await Assert.ThrowsAnyAsync<Exception>(() => RawNbdClient.ConnectAsync(lab));
        time.Advance(TimeSpan.FromSeconds(31));
        await silent.RequireHangUpAsync();

        // Who is through with the negotiation may be silent for as long as he likes.
        await served.RequestAsync(0, 1, 0, 16);
        Assert.Equal(1ul, (await served.ChunkAsync()).Cookie);
    }

    [Fact]
    public async Task The_end_of_the_server_ends_its_clients_and_takes_the_socket_away()
    {
        var lab = new ServerLab(ServerLab.Sample());
        using var client = await RawNbdClient.OpenAsync(lab);
        lab.Disk.Gate = new TaskCompletionSource().Task;
        await client.RequestAsync(0, 1, 0, 4096);
        await lab.Server.DisposeAsync();
        await client.RequireHangUpAsync();
        Assert.False(File.Exists(lab.Server.SocketPath));
        await lab.DisposeAsync();
    }

    [Fact]
    public async Task The_address_is_escaped_and_a_path_too_long_is_refused()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["a b&c"]);
        await using var server = NbdServer.Start(folder["a b&c/s"], new ReadOnlyDevice(new MemoryDisk(new byte[512])), new NbdServerOptions { ExportName = "x/y" });
        Assert.Equal($"nbd+unix:///x%2Fy?socket={folder.Path}/a%20b%26c/s", server.Uri);
        Assert.Throws<IOException>(() => NbdServer.Start(folder[new string('x', 120)], new ReadOnlyDevice(new MemoryDisk(new byte[512])), new()));
    }
}
