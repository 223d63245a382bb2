using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Operations;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks.Tests.Iscsi;

namespace Strongroom.Backup.Tests.FileRecovery;

/// <summary>Recovery points that are mounted: what initiators see, for how long, and what may not happen to the points meanwhile.</summary>
public sealed class MountTests : IAsyncLifetime
{
    private const uint Success = 0;
    private const uint AuthenticationFailure = 0x0201;
    private const uint AuthorizationFailure = 0x0202;
    private const uint NotFound = 0x0203;

    private Rig _rig = null!;
    private Vault _vault = null!;
    private FakeMachine _machine = null!;

    private FileRecoveryRequest Request { get; } = new(null, false, new("https://backup.example:8443"));

    public async ValueTask InitializeAsync()
    {
        _rig = await Rig.NewAsync();
        _vault = await _rig.NewVaultAsync();
        _machine = _rig.NewMachine("web1", FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2));
        await _rig.ProtectAsync(_vault, _machine);
        await _rig.BackUpAsync(_vault, _machine);
    }

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task A_mount_shows_every_disk_of_the_point_and_keeps_what_is_written_to_itself()
    {
        var expected = _machine.Disks.Select(d => (byte[])d.Content.Clone()).ToArray();
        var mount = await MountAsync();
        Assert.Equal(["os", "data"], mount.Disks.Select(d => d.Name));
        // What the machine holds by now is not what it held.
        _machine.Disks[0].Write(0, 9, 9, 9);

        using (var first = await LogInAsync(mount))
        {
            foreach (byte lun in (byte[])[0, 1])
            {
                for (uint block = 0; block < 4096; block += 512)
                {
                    var read = await first.RunAsync(Cdb.Read10(block, 128), 128 * 512, lun: lun);
                    Assert.Equal(expected[lun][((int)block * 512)..][..(128 * 512)], read.Data);
                }
            }

            await first.RunAsync(Cdb.Write10(0, 1), data: [.. Enumerable.Repeat((byte)7, 512)]);
            Assert.Equal(Enumerable.Repeat((byte)7, 512), (await first.RunAsync(Cdb.Read10(0, 1), 512)).Data);
        }

        using var second = await LogInAsync(mount, "iqn.2026-01.test:another");
        Assert.Equal(expected[0][..512], (await second.RunAsync(Cdb.Read10(0, 1), 512)).Data);
    }

    [Fact]
    public async Task Nobody_gets_in_without_the_password_or_after_the_mount_was_revoked()
    {
        var mount = await MountAsync();
        Assert.Equal(AuthenticationFailure, await StatusAsync(mount, secret: mount.Secrets.Password[..14] + "!"));
        using var initiator = await LogInAsync(mount);
        Assert.True(await IsMountedAsync());

        await _rig.Mounts.RevokeAsync(_vault, Rig.NativeName(_machine), mount.Point.Name, Rig.Token);

        await initiator.RequireHangUpAsync();
        Assert.False(await IsMountedAsync());
        Assert.Equal(NotFound, await StatusAsync(mount));
        Assert.True(mount.Ended.IsCancellationRequested);
        Assert.Null(_rig.Mounts.Find(mount.Id));
        // To revoke again does nothing, and a new mount has other secrets.
        await _rig.Mounts.RevokeAsync(_vault, Rig.NativeName(_machine), mount.Point.Name, Rig.Token);
        var next = await MountAsync();
        Assert.NotEqual(mount.Secrets.Password, next.Secrets.Password);
        Assert.Equal(NotFound, await StatusAsync(mount));
        Assert.Equal(Success, await StatusAsync(next));
    }

    [Fact]
    public async Task A_mount_ends_after_twelve_hours_unless_it_is_renewed()
    {
        var mount = await MountAsync();
        using var initiator = await LogInAsync(mount);
        _rig.Time.Advance(TimeSpan.FromHours(8));
        var renewed = await MountAsync(Request with { Renews = true });
        Assert.Same(mount, renewed);
        _rig.Time.Advance(TimeSpan.FromHours(11));
        await _rig.Mounts.SweepAsync();
        Assert.True(await IsMountedAsync());
        Assert.Equal(0, (await initiator.RunAsync(Cdb.TestUnitReady)).Header[3]);

        _rig.Time.Advance(TimeSpan.FromHours(1));
        // By the clock it is over at once, even before anybody looks.
        Assert.False(await IsMountedAsync());
        Assert.Null(_rig.Mounts.Find(mount.Id));
        await _rig.Mounts.SweepAsync();
        await initiator.RequireHangUpAsync();
        Assert.Equal(NotFound, await StatusAsync(mount));
        Assert.NotSame(mount, await MountAsync(Request with { Renews = true }));
    }

    [Fact]
    public async Task Two_mounts_of_a_point_are_apart_and_revoked_together()
    {
        var (first, second) = (await MountAsync(), await MountAsync());
        Assert.NotEqual(first.TargetName, second.TargetName);
        Assert.Equal(AuthenticationFailure, await StatusAsync(first, secret: second.Secrets.Password));
        await _rig.Mounts.RevokeAsync(_vault, Rig.NativeName(_machine), first.Point.Name, Rig.Token);
        Assert.Equal((NotFound, NotFound), (await StatusAsync(first), await StatusAsync(second)));
    }

    [Fact]
    public async Task A_mount_for_an_initiator_lets_no_other_one_in()
    {
        var mount = await MountAsync(Request with { InitiatorName = "iqn.2026-01.test:mine" });
        Assert.Equal(AuthorizationFailure, await StatusAsync(mount));
        Assert.Equal(Success, await StatusAsync(mount, name: "iqn.2026-01.test:mine"));
        // Names are compared without regard to case (RFC 7143, 4.2.7.2).
        Assert.Equal(Success, await StatusAsync(mount, name: "iqn.2026-01.test:MINE"));
    }

    [Fact]
    public async Task A_point_does_not_expire_while_it_is_mounted()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ScheduledMachineAsync();
        for (var day = 0; day < 3; day++)
        {
            rig.Time.Advance(TimeSpan.FromDays(1));
            await rig.LiveAsync();
        }

        var oldest = (await rig.PointsAsync(vault, machine))[^1];
        var operation = await rig.Mounts.ProvisionAsync(vault, Rig.NativeName(machine), oldest.Name, Request, Rig.Token);
        var mount = rig.Mounts.FindByOperation(operation.Id)!;
        // The fake clock stands still for the mount: what holds the point is that it is there, not its time.
        await rig.Protection.PutAsync(vault, Rig.Request(machine, "", ProtectionStates.Suspended), Rig.Token);
        rig.Time.Advance(TimeSpan.FromDays(40));
        await rig.LiveAsync();
        Assert.Equal(2, (await rig.PointsAsync(vault, machine)).Count);
        Assert.Contains(await rig.PointsAsync(vault, machine), p => p.Name == oldest.Name);

        await rig.Mounts.RevokeAsync(vault, Rig.NativeName(machine), oldest.Name, Rig.Token);
        rig.Time.Advance(TimeSpan.FromHours(1));
        await rig.LiveAsync();
        Assert.DoesNotContain(await rig.PointsAsync(vault, machine), p => p.Name == oldest.Name);
        Assert.True(mount.Ended.IsCancellationRequested);
    }

    [Fact]
    public async Task Deleting_the_data_ends_the_mount()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var machine = rig.NewMachine("db1", FakeDisk.New(-1, "os", 3));
        var item = await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        var point = (await rig.PointsAsync(vault, machine))[0];
        var operation = await rig.Mounts.ProvisionAsync(vault, item.NativeName, point.Name, Request, Rig.Token);
        var mount = rig.Mounts.FindByOperation(operation.Id)!;

        await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, item.NativeName, Rig.Token))!);

        Assert.True(mount.Ended.IsCancellationRequested);
        Assert.False(rig.Mounts.IsMounted(item.Key, point.Name));
        Assert.Null(await rig.Items.FindAsync(vault.Key, item.NativeName, Rig.Token));
    }

    [Fact]
    public async Task What_cannot_be_mounted_is_refused_and_nothing_is_left_of_it()
    {
        var native = Rig.NativeName(_machine);
        await RefusedAsync(BackupRefusal.ItemNotFound, "iaasvmcontainerv2;lab;none", "1");
        await RefusedAsync(BackupRefusal.RecoveryPointNotFound, native, "1");
        var point = await PointAsync();
        _rig.Stores.Failure = new IOException("The storage does not answer.");
        await RefusedAsync(BackupRefusal.StorageFailed, native, point.Name);
        _rig.Stores.Failure = null;
        var item = await ItemAsync();
        Assert.False(_rig.Holds.IsHeld(item.Key, point.Name));

        for (var count = 0; count < _rig.FileRecovery.MaxMountsOfItem; count++) await MountAsync();
        await RefusedAsync(BackupRefusal.TooManyMounts, native, point.Name);
        await _rig.Mounts.RevokeAsync(_vault, native, point.Name, Rig.Token);
        Assert.False(_rig.Holds.IsHeld(item.Key, point.Name));
        await MountAsync();
    }

    [Fact]
    public async Task Many_requests_at_once_get_no_more_places_than_there_are()
    {
        var point = await PointAsync();
        var asked = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(async () =>
        {
            try
            {
                await _rig.Mounts.ProvisionAsync(_vault, Rig.NativeName(_machine), point.Name, Request, Rig.Token);
                return true;
            }
            catch (BackupRefusedException refused) when (refused.Refusal == BackupRefusal.TooManyMounts)
            {
                return false;
            }
        })));
        Assert.Equal(_rig.FileRecovery.MaxMountsOfItem, asked.Count(got => got));
    }

    [Fact]
    public async Task Mounts_and_revocations_at_once_leave_nothing_behind()
    {
        var (native, point, item) = (Rig.NativeName(_machine), await PointAsync(), await ItemAsync());
        for (var round = 0; round < 20; round++)
        {
            var mounting = Enumerable.Range(0, 4).Select(_ => Task.Run(() => _rig.Mounts.ProvisionAsync(_vault, native, point.Name, Request, Rig.Token)));
            var revoking = Enumerable.Range(0, 4).Select(_ => Task.Run(() => _rig.Mounts.RevokeAsync(_vault, native, point.Name, Rig.Token)));
            await Task.WhenAll(mounting.Concat(revoking));
        }

        await _rig.Mounts.RevokeAsync(_vault, native, point.Name, Rig.Token);
        Assert.False(_rig.Holds.IsHeld(item.Key, point.Name));
        // Each place was given back once, and none twice.
        for (var count = 0; count < _rig.FileRecovery.MaxMountsOfItem; count++) await MountAsync();
        await RefusedAsync(BackupRefusal.TooManyMounts, native, point.Name);
    }

    [Fact]
    public async Task Mounts_that_race_with_the_deletion_of_the_data_are_over_when_it_is_done()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var machine = rig.NewMachine("db1", FakeDisk.New(-1, "os", 3));
        var item = await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        var point = (await rig.PointsAsync(vault, machine))[0];
        var done = false;
        var mounting = Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                try { await rig.Mounts.ProvisionAsync(vault, item.NativeName, point.Name, Request, Rig.Token); }
                catch (BackupRefusedException) { await Task.Yield(); }
            }
        }, Rig.Token);

        await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, item.NativeName, Rig.Token))!);
        Volatile.Write(ref done, true);
        await mounting;
        Assert.False(rig.Mounts.IsMounted(item.Key, point.Name));
        Assert.False(rig.Holds.IsHeld(item.Key, point.Name));
    }

    [Fact]
    public async Task A_point_that_is_being_deleted_is_not_held_and_one_that_is_held_is_not_deleted()
    {
        var (holds, item) = (new PointHolds(), await ItemAsync());
        using (holds.TryDoom(item.Key, "1"))
        {
            Assert.Throws<BackupRefusedException>(() => holds.Hold(item, "1"));
            Assert.Null(holds.TryDoom(item.Key, "1"));
            Assert.False(holds.IsHeld(item.Key, "1"));
        }

        var (first, second) = (holds.Hold(item, "1"), holds.Hold(item, "1"));
        first.Dispose();
        first.Dispose();
        Assert.Null(holds.TryDoom(item.Key, "1"));
        second.Dispose();
        Assert.NotNull(holds.TryDoom(item.Key, "1"));
    }

    [Fact]
    public async Task A_mount_that_nobody_can_be_told_of_is_taken_back()
    {
        var mounts = new FileRecoveryMounts(_rig.Items, _rig.Points, _rig.Ledger, new FailingOperations(), _rig.Stores, _rig.Holds, _rig.Targets, _rig.FileRecovery, _rig.Time,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<FileRecoveryMounts>.Instance);
        var point = await PointAsync();
        await Assert.ThrowsAsync<IOException>(() => mounts.ProvisionAsync(_vault, Rig.NativeName(_machine), point.Name, Request, Rig.Token));
        var item = await ItemAsync();
        Assert.False(mounts.IsMounted(item.Key, point.Name));
        Assert.False(_rig.Holds.IsHeld(item.Key, point.Name));
        mounts.Dispose();
    }

    private async Task<FileRecoveryMount> MountAsync(FileRecoveryRequest? request = null)
    {
        var operation = await _rig.Mounts.ProvisionAsync(_vault, Rig.NativeName(_machine), (await PointAsync()).Name, request ?? Request, Rig.Token);
        return _rig.Mounts.FindByOperation(operation.Id)!;
    }

    private async Task<RecoveryPoint> PointAsync() => (await _rig.PointsAsync(_vault, _machine))[0];

    private async Task<ProtectedItem> ItemAsync() => (await _rig.Items.FindAsync(_vault.Key, Rig.NativeName(_machine), Rig.Token))!;

    private async Task<bool> IsMountedAsync() => _rig.Mounts.IsMounted((await ItemAsync()).Key, (await PointAsync()).Name);

    private async Task RefusedAsync(BackupRefusal refusal, string native, string point)
    {
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => _rig.Mounts.ProvisionAsync(_vault, native, point, Request, Rig.Token));
        Assert.Equal(refusal, refused.Refusal);
    }

    private async Task<RawInitiator> LogInAsync(FileRecoveryMount mount, string name = RawInitiator.Name)
    {
        var initiator = await RawInitiator.ConnectAsync(_rig.Targets.EndPoint!);
        var last = await initiator.LogInToAsync(mount.TargetName, mount.Secrets.UserName, mount.Secrets.Password, name: name, keys: ["MaxRecvDataSegmentLength=262144", "InitialR2T=No"]);
        Assert.Equal(Success, last.Number(36) >> 16);
        return initiator;
    }

    private async Task<uint> StatusAsync(FileRecoveryMount mount, string? secret = null, string name = RawInitiator.Name)
    {
        using var initiator = await RawInitiator.ConnectAsync(_rig.Targets.EndPoint!);
        return (await initiator.LogInToAsync(mount.TargetName, mount.Secrets.UserName, secret ?? mount.Secrets.Password, name: name)).Number(36) >> 16;
    }

    private sealed class FailingOperations : IOperationRepository
    {
        public Task AddAsync(AsyncOperation operation, CancellationToken cancellationToken) => throw new IOException("The disk is full.");

        public Task<AsyncOperation?> FindAsync(Guid vaultKey, Guid operationId, CancellationToken cancellationToken) => Task.FromResult<AsyncOperation?>(null);
    }
}
