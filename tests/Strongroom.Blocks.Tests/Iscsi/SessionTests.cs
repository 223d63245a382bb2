using System.Buffers.Binary;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>Commands, their data and their management within a session.</summary>
public sealed class SessionTests
{
    private const int Block = 512;

    [Fact]
    public async Task Writes_come_by_immediate_unsolicited_and_solicited_data()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab, 1, "InitialR2T=No", "MaxBurstLength=2048", "FirstBurstLength=1536");
        var data = Sources.Noise(16 * Block, 3);
        var tag = await initiator.CommandAsync(Cdb.Write10(8, 16), 0x20, data.Length, data[..Block]);
        await initiator.DataOutAsync(tag, 0xffff_ffff, 0, Block, data[Block..(3 * Block)], isFinal: true);
        for (var at = 3 * Block; at < data.Length;)
        {
            var request = await initiator.ReceiveAsync();
            Assert.Equal((0x31, tag, (uint)at), (request.Opcode, request.Number(16), request.Number(40)));
            var burst = (int)request.Number(44);
            Assert.Equal(Math.Min(2048, data.Length - at), burst);
            await initiator.DataOutAsync(tag, request.Number(20), 0, at, data[at..(at + Block)], isFinal: burst == Block);
            if (burst > Block)
                await initiator.DataOutAsync(tag, request.Number(20), 1, at + Block, data[(at + Block)..(at + burst)], isFinal: true);
            at += burst;
        }

        var response = await initiator.ReceiveAsync();
        Assert.Equal((0x21, 0), (response.Opcode, response.Header[3]));
        for (var at = 0; at < data.Length; at += 2048)
            Assert.Equal(data[at..(at + 2048)], (await initiator.RunAsync(Cdb.Read10(8 + (uint)(at / Block), 4), 2048)).Data);
        Assert.Equal(lab.Content, await Sources.ReadAllAsync(lab.Disk));
    }

    [Theory]
    [InlineData(9, 0, 0u)] // another transfer tag
    [InlineData(0, 512, 0u)] // another offset
    [InlineData(0, 0, 1u)] // more than was asked for
    public async Task Data_that_nobody_asked_for_end_that_session_and_no_other(uint wrongTag, int wrongOffset, uint tooMuch)
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var other = await RawInitiator.LogInAsync(lab, port: 2);
        using var initiator = await RawInitiator.LogInAsync(lab);
        var tag = await initiator.CommandAsync(Cdb.Write10(0, 2), 0xa0, 2 * Block);
        var request = await initiator.ReceiveAsync();
        await initiator.DataOutAsync(tag, request.Number(20) + wrongTag, 0, wrongOffset, new byte[(2 * Block) + (4 * tooMuch)], isFinal: true);
        Assert.Equal(0x3f, (await initiator.ReceiveAsync()).Opcode);
        await initiator.RequireHangUpAsync();
        Assert.Equal(lab.Content[..Block], (await other.RunAsync(Cdb.Read10(0, 1), Block)).Data);
    }

    [Fact]
    public async Task A_gap_in_the_numbers_of_data_fails_the_command_alone()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        var tag = await initiator.CommandAsync(Cdb.Write10(0, 2), 0xa0, 2 * Block);
        var request = await initiator.ReceiveAsync();
        await initiator.DataOutAsync(tag, request.Number(20), 1, 0, new byte[Block], isFinal: false);
        await initiator.DataOutAsync(tag, request.Number(20), 0, Block, new byte[Block], isFinal: true);
        Assert.Equal(0x0b4b00, Cdb.SenseOf(await initiator.ReceiveAsync()));
        Assert.Equal(lab.Content[..Block], (await initiator.RunAsync(Cdb.Read10(0, 1), Block)).Data);
    }

    [Fact]
    public async Task Commands_run_in_the_order_of_their_numbers_and_outside_the_window_not_at_all()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        var first = initiator.CommandSn;
        initiator.CommandSn = first + 1000;
        await initiator.CommandAsync(Cdb.TestUnitReady, 0x80, 0);
        initiator.CommandSn = first - 1;
        await initiator.CommandAsync(Cdb.TestUnitReady, 0x80, 0);
        initiator.CommandSn = first + 1;
        var second = await initiator.CommandAsync(Cdb.TestUnitReady, 0x80, 0);
        initiator.CommandSn = first;
        var due = await initiator.CommandAsync(Cdb.TestUnitReady, 0x80, 0);
        uint[] answered = [(await initiator.ReceiveAsync()).Number(16), (await initiator.ReceiveAsync()).Number(16)];
        Assert.Equal([due, second], answered.OrderDescending());
        initiator.CommandSn = first + 2;
        Assert.Equal(first + 3, (await initiator.RunAsync(Cdb.TestUnitReady)).Number(28));
    }

    [Theory]
    [InlineData("long")]
    [InlineData("login")]
    [InlineData("unknown")]
    [InlineData("snack")]
    [InlineData("tag in use")]
    [InlineData("too many")]
    public async Task What_breaks_the_protocol_ends_that_session_and_no_other(string what)
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var other = await RawInitiator.LogInAsync(lab, port: 2);
        using var initiator = await RawInitiator.LogInAsync(lab);
        var gate = new TaskCompletionSource();
        switch (what)
        {
            case "long": await initiator.SendBytesAsync([0x40, 0x80, 0, 0, 0, 0xff, 0xff, 0xff, .. new byte[40]]); break;
            case "login": await initiator.SendAsync(initiator.Header(0x43, 0x87), []); break;
            case "unknown": await initiator.SendAsync(initiator.Header(0x5f, 0x80), []); break;
            case "snack": await initiator.SendAsync(initiator.Header(0x10, 0x80), []); break;
            default:
                lab.Disk.Gate = gate.Task;
                for (var index = 0; index < 200 && what == "too many"; index++)
                {
                    var header = initiator.Header(0x41, 0xc0);
                    RawInitiator.Put(header, 20, Block);
                    Cdb.Read10(0, 1).CopyTo(header, 32);
                    await initiator.SendAsync(header, []);
                }

                for (var index = 0; index < 2 && what != "too many"; index++)
                {
                    var header = initiator.Header(0x41, 0xc0);
                    RawInitiator.Put(header, 16, 99);
                    RawInitiator.Put(header, 20, Block);
                    Cdb.Read10(0, 1).CopyTo(header, 32);
                    await initiator.SendAsync(header, []);
                }

                break;
        }

        await initiator.RequireHangUpAsync();
        gate.SetResult();
        Assert.Equal(lab.Content[..Block], (await other.RunAsync(Cdb.Read10(0, 1), Block)).Data);
    }

    [Fact]
    public async Task A_task_is_aborted_and_answers_no_more()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        var gate = new TaskCompletionSource();
        lab.Disk.Gate = gate.Task;
        var tag = await initiator.CommandAsync(Cdb.Read10(0, 1), 0xc0, Block);
        Assert.Equal(0, await ManageAsync(initiator, 1, tag));
        gate.SetResult();
        Assert.Equal(1, await ManageAsync(initiator, 1, tag));
        Assert.Equal(lab.Content[..Block], (await initiator.RunAsync(Cdb.Read10(0, 1), Block)).Data);
        Assert.Equal(5, await ManageAsync(initiator, 20, 0));
        Assert.Equal(4, await ManageAsync(initiator, 8, 0));
    }

    [Fact]
    public async Task An_abort_leaves_no_half_of_a_pdu_on_the_wire()
    {
        await using var lab = new IscsiLab(ServerLab.Sample(8 << 20));
        using var initiator = await RawInitiator.LogInAsync(lab, 1, "MaxRecvDataSegmentLength=262144");
        for (var index = 0; index < 30; index++)
            await initiator.CommandAsync(Cdb.Read10(0, 8192), 0xc0, 8192 * Block);

        // By now sends are stuck in the middle, since nobody takes them.
        await Task.Delay(200);
        await initiator.SendAsync(initiator.Header(0x42, 0x82), []);
        await Task.Delay(200);
        RawPdu answer;
        while ((answer = await initiator.ReceiveAsync()).Opcode != 0x22)
            Assert.Equal(0x25, answer.Opcode);
        Assert.Equal(0, answer.Header[2]);
        Assert.Equal(lab.Content[..Block], (await initiator.RunAsync(Cdb.Read10(0, 1), Block)).Data);
    }

    [Fact]
    public async Task A_reset_is_told_once_and_a_cold_one_ends_the_sessions()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        Assert.Equal(0, await ManageAsync(initiator, 5, 0));
        Assert.Equal(0x062903, Cdb.SenseOf(await initiator.RunAsync(Cdb.TestUnitReady)));
        Assert.Equal(0, (await initiator.RunAsync(Cdb.TestUnitReady)).Header[3]);
        Assert.Equal(0, await ManageAsync(initiator, 7, 0));
        await initiator.RequireHangUpAsync();
    }

    [Fact]
    public async Task Troubles_of_the_disk_are_those_of_one_command()
    {
        var failures = 0;
        await using var lab = new IscsiLab(ServerLab.Sample(), change: options => options with { OnFailure = _ => Interlocked.Increment(ref failures), OverlayLimitBytes = 64 * 1024 });
        using var initiator = await RawInitiator.LogInAsync(lab);
        lab.Disk.BadByte = 600;
        Assert.Equal(0x031100, Cdb.SenseOf(await initiator.RunAsync(Cdb.Read10(1, 1), Block)));
        Assert.Equal(0x030c00, Cdb.SenseOf(await initiator.RunAsync(Cdb.Write10(0, 1), data: new byte[Block])));
        Assert.Equal(2, failures);
        var written = 0;
        while (await initiator.RunAsync(Cdb.Write10((uint)(64 + (8 * written)), 8), data: Sources.Noise(8 * Block, 1)) is { } response && response.Header[3] == 0)
            Assert.InRange(++written, 0, 32);
        Assert.InRange(written, 1, 16);
        Assert.Equal(0x072707, Cdb.SenseOf(await initiator.RunAsync(Cdb.Write10(1000, 8), data: Sources.Noise(8 * Block, 1))));
        Assert.Equal(Block, (await initiator.RunAsync(Cdb.Read10(8, 1), Block)).Data.Length);
    }

    [Fact]
    public async Task Changes_leave_room_on_the_disk_to_others()
    {
        await using var lab = new IscsiLab(ServerLab.Sample(), change: options => options with { OverlayReserveBytes = long.MaxValue });
        using var initiator = await RawInitiator.LogInAsync(lab);
        Assert.Equal(0x072707, Cdb.SenseOf(await initiator.RunAsync(Cdb.Write10(0, 8), data: Sources.Noise(8 * Block, 1))));
        Assert.Equal(Block, (await initiator.RunAsync(Cdb.Read10(0, 1), Block)).Data.Length);
    }

    [Fact]
    public async Task A_read_only_unit_refuses_writes_and_a_missing_one_says_what_it_is()
    {
        await using var lab = new IscsiLab(ServerLab.Sample(), isReadOnly: true);
        using var initiator = await RawInitiator.LogInAsync(lab);
        Assert.Equal(0x072700, Cdb.SenseOf(await initiator.RunAsync(Cdb.Write10(0, 1), data: new byte[Block])));
        Assert.Equal(0x052500, Cdb.SenseOf(await initiator.RunAsync(Cdb.TestUnitReady, lun: 3)));
        Assert.Equal(0x7f, (await initiator.RunAsync([0x12, 0, 0, 0, 96, 0], 96, lun: 3)).Data[0]);
        var luns = (await initiator.RunAsync([0xa0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 256, lun: 3)).Data;
        Assert.Equal([16, 0, 5], [BinaryPrimitives.ReadInt32BigEndian(luns), luns[9], luns[17]]);
    }

    [Fact]
    public async Task Residuals_are_told()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        var under = await initiator.RunAsync(Cdb.Read10(0, 1), 3 * Block);
        Assert.Equal((Block, 0x83, 2u * Block), (under.Data.Length, under.Header[1], under.Number(44)));
        var over = await initiator.RunAsync(Cdb.Read10(0, 3), Block);
        Assert.Equal((Block, 0x85, 2u * Block), (over.Data.Length, over.Header[1], over.Number(44)));
    }

    [Fact]
    public async Task A_write_that_says_it_reads_too_is_written()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        var data = Sources.Noise(Block, 5);
        await initiator.CommandAsync(Cdb.Write10(2, 1), 0xe0, Block, data);
        Assert.Equal(0, (await initiator.ReceiveAsync()).Header[3]);
        Assert.Equal(data, (await initiator.RunAsync(Cdb.Read10(2, 1), Block)).Data);
    }

    /// <summary>A task management request; returns the response's code.</summary>
    private static async Task<int> ManageAsync(RawInitiator initiator, byte function, uint referenced)
    {
        var header = initiator.Header(0x42, (byte)(0x80 | function));
        RawInitiator.Put(header, 20, referenced);
        await initiator.SendAsync(header, []);
        var answer = await initiator.ReceiveAsync();
        Assert.Equal(0x22, answer.Opcode);
        return answer.Header[2];
    }
}
