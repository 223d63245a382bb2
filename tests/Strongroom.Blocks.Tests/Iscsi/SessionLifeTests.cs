using System.Net;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Blocks.Iscsi;
using Strongroom.Blocks.Tests.Nbd.Server;

namespace Strongroom.Blocks.Tests.Iscsi;

/// <summary>Who may log in to a target, what ends a session, and what stays of it.</summary>
public sealed class SessionLifeTests
{
    private const int Block = 512;

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
