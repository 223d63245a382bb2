using System.Buffers.Binary;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Blocks.Iscsi;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Iscsi;

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
    public async Task Changes_wait_for_a_lost_initiator_and_go_with_its_logout()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        var data = Sources.Noise(Block, 9);
        using var other = await RawInitiator.LogInAsync(lab, port: 2);
        using (var initiator = await RawInitiator.LogInAsync(lab))
        {
            Assert.Equal(0, (await initiator.RunAsync(Cdb.Write10(4, 1), data: data)).Header[3]);
            Assert.Empty(lab.OverlayFiles);
        }

        // The same port again: a new session, after the old one has gone (or by ending it).
        using var again = await RawInitiator.LogInAsync(lab);
        Assert.Equal(data, (await again.RunAsync(Cdb.Read10(4, 1), Block)).Data);
        Assert.Equal(lab.Content[(4 * Block)..(5 * Block)], (await other.RunAsync(Cdb.Read10(4, 1), Block)).Data);
        await LogOutAsync(again);

        using var anew = await RawInitiator.LogInAsync(lab);
        Assert.Equal(lab.Content[(4 * Block)..(5 * Block)], (await anew.RunAsync(Cdb.Read10(4, 1), Block)).Data);
        Assert.Equal(lab.Content, await Sources.ReadAllAsync(lab.Disk));
    }

    [Fact]
    public async Task Changes_of_an_initiator_that_stays_away_are_thrown_away()
    {
        var time = new FakeTimeProvider();
        await using var lab = new IscsiLab(ServerLab.Sample(), change: options => options with { Time = time, OverlaysOfTarget = 1 });
        using (var initiator = await RawInitiator.LogInAsync(lab))
            await initiator.RunAsync(Cdb.Write10(4, 1), data: new byte[Block]);
        await UntilAsync(() => lab.Server.Targets[IscsiLab.TargetName] == 0);
        using (var refused = await RawInitiator.ConnectAsync(lab, port: 2))
            Assert.Equal(0x0302u, (await refused.LogInAsync()).Number(36) >> 16);
        await UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromMinutes(16));
            using var next = await RawInitiator.ConnectAsync(lab, port: 2);
            return (await next.LogInAsync()).Number(36) >> 16 == 0;
        });
    }

    [Fact]
    public async Task A_session_of_the_same_port_takes_the_place_of_the_old_one()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var former = await RawInitiator.LogInAsync(lab);
        using var latter = await RawInitiator.LogInAsync(lab);
        await former.RequireHangUpAsync();
        Assert.Equal(0, (await latter.RunAsync(Cdb.TestUnitReady)).Header[3]);
        Assert.Equal(1, lab.Server.Targets[IscsiLab.TargetName]);
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_target_that_is_taken_away_ends_its_sessions(bool byTime)
    {
        var time = new FakeTimeProvider();
        await using var lab = new IscsiLab(ServerLab.Sample(), change: options => options with { Time = time }, endsAt: time.GetUtcNow() + TimeSpan.FromHours(12));
        using var initiator = await RawInitiator.LogInAsync(lab);
        if (byTime)
            time.Advance(TimeSpan.FromHours(12));
        else
            Assert.True(await lab.Server.RemoveTargetAsync(IscsiLab.TargetName));
        var message = await initiator.ReceiveAsync();
        while (message.Opcode == 0x20)
            message = await initiator.ReceiveAsync(); // a ping: twelve hours have passed
        Assert.Equal((0x32, 3), (message.Opcode, message.Header[36]));
        await initiator.RequireHangUpAsync();
        await UntilAsync(() => lab.Server.Targets.Count == 0);
        using var late = await RawInitiator.ConnectAsync(lab);
        Assert.Equal(0x0203u, (await late.LogInAsync()).Number(36) >> 16);
        Assert.False(await lab.Server.RemoveTargetAsync(IscsiLab.TargetName));
    }

    [Fact]
    public async Task Whoever_logs_in_or_is_refused_is_told_of()
    {
        var logins = new System.Collections.Concurrent.ConcurrentQueue<IscsiLogin>();
        await using var lab = new IscsiLab(new byte[4096], change: options => options with { OnLogin = logins.Enqueue });
        using (await RawInitiator.LogInAsync(lab))
        {
            using var refused = await RawInitiator.ConnectAsync(lab);
            Assert.Equal(0x0201u, (await refused.LogInAsync(secret: "secret-of-nobody")).Number(36) >> 16);
        }

        Assert.Equal([null, logins.Last().Refusal], logins.Select(login => login.Refusal));
        Assert.NotNull(logins.Last().Refusal);
        Assert.All(logins, login => Assert.Equal((RawInitiator.Name, IscsiLab.TargetName, true), (login.InitiatorName, login.TargetName, login.From is not null)));
    }

    [Fact]
    public async Task A_target_that_is_for_one_initiator_refuses_others_who_know_the_secret()
    {
        await using var lab = new IscsiLab(new byte[4096]);
        lab.Server.AddTarget(new("iqn.2026-01.test:mine", IscsiLab.Credentials, [new(0, lab.Disk, "SERIAL-9")]) { InitiatorName = "iqn.2026-01.test:me" });
        using var other = await RawInitiator.ConnectAsync(lab);
        Assert.Equal(0x0202u, (await other.LogInAsync(target: "iqn.2026-01.test:mine")).Number(36) >> 16);
        using var me = await RawInitiator.ConnectAsync(lab);
        Assert.Equal(0u, (await me.LogInToAsync("iqn.2026-01.test:mine", IscsiLab.User, IscsiLab.Secret, name: "iqn.2026-01.test:me")).Number(36) >> 16);
    }

    [Fact]
    public async Task Initiators_are_asked_to_leave_when_there_is_time()
    {
        await using var lab = new IscsiLab(ServerLab.Sample());
        using var initiator = await RawInitiator.LogInAsync(lab);
        var removing = lab.Server.RemoveTargetAsync(IscsiLab.TargetName, TimeSpan.FromMinutes(5));
        var message = await initiator.ReceiveAsync();
        Assert.Equal((0x32, 1, 300u), (message.Opcode, message.Header[36], message.Number(40) & 0xffff));
        await LogOutAsync(initiator);
        Assert.True(await removing.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Who_does_not_log_in_or_does_not_answer_is_closed_in_time()
    {
        var time = new FakeTimeProvider();
        await using var lab = new IscsiLab(ServerLab.Sample(), change: options => options with { Time = time, Connections = 2 });
        using var silent = await RawInitiator.ConnectAsync(lab);
        await silent.LoginAsync(0x81, $"InitiatorName={RawInitiator.Name}", $"TargetName={IscsiLab.TargetName}", "AuthMethod=CHAP");
        using var served = await RawInitiator.LogInAsync(lab, port: 2);
        using (var oneTooMany = await RawInitiator.ConnectAsync(lab, port: 3))
            await oneTooMany.RequireHangUpAsync();
        time.Advance(TimeSpan.FromSeconds(16));
        await silent.RequireHangUpAsync();

        Assert.Equal(0, (await served.RunAsync(Cdb.TestUnitReady)).Header[3]);
        var asked = served.ReceiveAsync();
        await UntilAsync(() => AdvanceUntil(time, asked));
        Assert.Equal((0x20, 0xffff_ffffu), ((await asked).Opcode, (await asked).Number(16)));
        var ended = served.RequireHangUpAsync();
        await UntilAsync(() => AdvanceUntil(time, ended));
        await ended;
    }

    [Fact]
    public async Task Who_takes_nothing_from_the_connection_is_closed_in_time()
    {
        var time = new FakeTimeProvider();
        await using var lab = new IscsiLab(ServerLab.Sample(8 << 20), change: options => options with { Time = time });
        using var initiator = await RawInitiator.LogInAsync(lab);
        for (var index = 0; index < 30; index++)
            await initiator.CommandAsync(Cdb.Read10(0, 8192), 0xc0, 8192 * Block);
        await UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(60));
            return lab.Server.Targets[IscsiLab.TargetName] == 0;
        });
        await initiator.RequireHangUpAsync();
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

    [Fact]
    public async Task Discovery_names_the_targets_of_the_secret_in_parts_that_the_initiator_can_take()
    {
        await using var lab = new IscsiLab(ServerLab.Sample(), change: options => options with { TargetAddress = "backup.example:3260" });
        for (var index = 10; index < 40; index++)
            lab.Server.AddTarget(new($"iqn.2026-01.test:{index}", IscsiLab.Credentials, [new(0, lab.Disk, "SERIAL-X")]));
        lab.Server.AddTarget(new("iqn.2026-01.test:hidden", new("somebody", "another-secret"), [new(0, lab.Disk, "SERIAL-Y")]));
        using var initiator = await RawInitiator.ConnectAsync(lab);
        Assert.Equal(0u, (await initiator.LogInAsync(target: null, keys: "MaxRecvDataSegmentLength=512")).Number(36) >> 16);
        var text = new List<byte>();
        var tag = 0xffff_ffffu;
        for (var data = "SendTargets=All\0"u8.ToArray(); ; data = [])
        {
            var header = initiator.Header(0x44, 0x80);
            RawInitiator.Put(header, 20, tag);
            await initiator.SendAsync(header, data);
            var part = await initiator.ReceiveAsync();
            Assert.InRange(part.Data.Length, 1, 512);
            text.AddRange(part.Data);
            tag = part.Number(20);
            if (tag == 0xffff_ffff)
                break;
        }

        var pairs = System.Text.Encoding.UTF8.GetString([.. text]).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(31, pairs.Count(pair => pair.StartsWith("TargetName=", StringComparison.Ordinal)));
        Assert.Equal(31, pairs.Count(pair => pair == "TargetAddress=backup.example:3260,1"));
        Assert.DoesNotContain(pairs, pair => pair.Contains("hidden", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_target_that_is_not_as_it_must_be_is_refused()
    {
        var disk = new MemoryDisk(new byte[Block]);
        Assert.Throws<ArgumentException>(() => new ChapCredentials("user", "too-short"));
        Assert.Throws<ArgumentException>(() => new ChapCredentials("user", "schlüssel-schlüssel"));
        using var folder = new TemporaryFolder();
        await using var server = IscsiServer.Start(new() { Listen = new(IPAddress.Loopback, 0), OverlayFolder = folder.Path });
        var good = new IscsiTarget("iqn.2026-01.test:x", IscsiLab.Credentials, [new(0, disk, "SERIAL-0")]);
        server.AddTarget(good);
        foreach (var bad in (IscsiTarget[])[good, good with { Name = "x" }, good with { Name = "iqn.2026-01.test:y", Luns = [] }, good with { Name = "iqn.2026-01.test:y", Luns = [new(0, disk, "a b")] },
            good with { Name = "iqn.2026-01.test:y", Self = new("self", IscsiLab.Secret) }, good with { Name = "iqn.2026-01.test:y", Initiator = new(IscsiLab.User, "another-secret") }])
            Assert.Throws<ArgumentException>(() => server.AddTarget(bad));
        Assert.Throws<IOException>(() => IscsiServer.Start(new() { Listen = server.EndPoint, OverlayFolder = folder.Path }));
    }

    private static async Task LogOutAsync(RawInitiator initiator)
    {
        var header = initiator.Header(0x46, 0x80);
        await initiator.SendAsync(header, []);
        var answer = await initiator.ReceiveAsync();
        Assert.Equal((0x26, 0), (answer.Opcode, answer.Header[2]));
        await initiator.RequireHangUpAsync();
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

    private static bool AdvanceUntil(FakeTimeProvider time, Task task)
    {
        if (!task.IsCompleted)
            time.Advance(TimeSpan.FromSeconds(60));
        return task.IsCompleted;
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var attempt = 0; attempt < 500; attempt++)
        {
            if (await condition())
                return;
            await Task.Delay(20);
        }

        Assert.Fail("It did not come to be.");
    }
}
