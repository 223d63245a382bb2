using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Log;

public sealed class VaultLogTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task After_a_damaged_last_entry_the_vault_goes_on_but_the_damage_stays_known()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, "x"u8);
        Snapshot kept;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            kept = await vault.BackUpAsync(disk);
            await vault.BackUpAsync(disk);
        }

        var last = (await backend.AllAsync("log/"))[^1];
        await backend.ReplaceAsync(last.Name, (await backend.ContentAsync(last.Name))[..50]);
        await using (var vault = await TestVault.OpenAsync(backend))
        {
            Assert.Equal(kept.Id, Assert.Single(vault.Snapshots).Id);
            Assert.Single(vault.Log.Damage);
            await vault.BackUpAsync(disk);
            Assert.Single(vault.Log.Damage);
        }

        await using var again = await TestVault.OpenAsync(backend);
        Assert.Equal(2, again.Snapshots.Count);
        Assert.Single(again.Log.Damage);
        Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => again.CollectAsync([], TestVault.AtOnce, None))).Kind);
    }

    [Fact]
    public async Task Damage_in_the_middle_of_the_log_opens_but_collects_nothing()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(1 << 20);
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            for (var i = 0; i < 3; i++)
            {
                disk.Write(i * 1000, TestVault.Noise(i, 500));
                await vault.BackUpAsync(disk);
            }
        }

        var entries = await backend.AllAsync("log/");
        await backend.DeleteAsync(entries[3].Name, None);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.Equal(2, again.Snapshots.Count);
        var failure = await Assert.ThrowsAsync<StoreException>(() => again.CollectAsync([], TestVault.AtOnce, None));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        Assert.False((await again.VerifyAsync(readData: false, null, None)).IsHealthy);
        await again.BackUpAsync(disk);
    }

    [Fact]
    public async Task A_vault_whose_log_was_lost_does_not_open_as_an_empty_one()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, "x"u8);
        await using (var vault = await TestVault.CreateAsync(backend))
            await vault.BackUpAsync(disk);
        foreach (var entry in await backend.AllAsync("log/"))
            await backend.DeleteAsync(entry.Name, None);
        var failure = await Assert.ThrowsAsync<StoreException>(() => TestVault.OpenAsync(backend));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
    }

    [Fact]
    public async Task A_vault_that_lost_its_birth_certificate_is_not_made_anew()
    {
        var backend = new MemoryBackend();
        Snapshot kept;
        await using (var vault = await TestVault.CreateAsync(backend))
            kept = await vault.BackUpAsync(new SparseDisk(0));
        var certificate = await backend.ContentAsync("vault.json");
        await backend.DeleteAsync("vault.json", None);
        var before = await backend.AllAsync("");

        var failure = await Assert.ThrowsAsync<StoreException>(() => TestVault.OpenOrCreateAsync(backend));

        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        Assert.Equal(before, await backend.AllAsync(""));
        await backend.PutIfAbsentAsync("vault.json", certificate, None);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.NotNull(again.Find(kept.Id));
    }

    [Fact]
    public async Task The_longest_entry_is_read_again_and_a_longer_one_is_refused()
    {
        var backend = new MemoryBackend();
        long head;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            Assert.NotNull(await vault.Log.AppendAsync(LogEntryType.Void, _ => new byte[LogEntry.GreatestPayloadLengthBytes], None));
            head = vault.Log.Head;
            var failure = await Assert.ThrowsAsync<StoreException>(
                () => vault.Log.AppendAsync(LogEntryType.Void, _ => new byte[LogEntry.GreatestPayloadLengthBytes + 1], None));
            Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        }

        await using var again = await TestVault.OpenAsync(backend);
        Assert.Equal(head, again.Log.Head);
    }

    [Fact]
    public async Task A_stray_file_among_the_packs_spoils_no_numbers()
    {
        var backend = new MemoryBackend();
        await using (await TestVault.CreateAsync(backend))
        {
        }

        await backend.PutIfAbsentAsync("packs/00/dead", new byte[10], None);
        await backend.PutIfAbsentAsync("packs/f0/fffffff0", new byte[10], None);
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, "x"u8);
        await using (var vault = await TestVault.OpenAsync(backend))
        {
            Assert.Equal(1, vault.Statistics.Packs);
            Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => vault.BackUpAsync(disk))).Kind);
        }

        await backend.DeleteAsync("packs/f0/fffffff0", None);
        await using var again = await TestVault.OpenAsync(backend);
        await again.BackUpAsync(disk);
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(long.MaxValue)]
    public async Task A_stray_file_far_beyond_the_end_of_the_log_is_reported_and_not_counted_up_to(long sequence)
    {
        var backend = new MemoryBackend();
        long head;
        await using (var vault = await TestVault.CreateAsync(backend))
            head = (await vault.BackUpAsync(new SparseDisk(0))).LogSequence;
        await backend.PutIfAbsentAsync(LogEntry.NameOf(sequence), new byte[300], None);
        await using (var vault = await TestVault.OpenAsync(backend))
        {
            Assert.Contains(LogEntry.NameOf(sequence), Assert.Single(vault.Log.Damage), StringComparison.Ordinal);
            Assert.Equal(head + 1, (await vault.BackUpAsync(new SparseDisk(0))).LogSequence);
            Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync([], TestVault.AtOnce, None))).Kind);
        }

        await backend.DeleteAsync(LogEntry.NameOf(sequence), None);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.Empty(again.Log.Damage);
        Assert.Equal(2, again.Snapshots.Count);
    }

    [Fact]
    public async Task An_entry_of_another_place_or_vault_does_not_count()
    {
        var backend = new MemoryBackend();
        await using (var vault = await TestVault.CreateAsync(backend))
            await vault.BackUpAsync(new SparseDisk(0));
        var entries = await backend.AllAsync("log/");
        var copy = await backend.ContentAsync(entries[^1].Name);
        await backend.PutIfAbsentAsync(LogEntry.NameOf(entries.Count + 1), copy, None);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.Single(again.Snapshots);
        Assert.Single(again.Log.Damage);
        await again.BackUpAsync(new SparseDisk(0));
        Assert.Equal(2, again.Snapshots.Count);
    }

    [Fact]
    public async Task Checkpoints_carry_live_and_deleted_snapshots_over_many_openings()
    {
        var backend = new MemoryBackend();
        var expected = new HashSet<SnapshotId>();
        var deleted = new List<SnapshotId>();
        for (var opening = 0; opening < 3; opening++)
        {
            await using var vault = await TestVault.OpenOrCreateAsync(backend);
            Assert.Equal(expected, [.. vault.Snapshots.Select(snapshot => snapshot.Id)]);
            for (var i = 0; i < 160; i++)
            {
                var snapshot = await vault.BackUpAsync(new SparseDisk(i));
                if (i % 3 == 0)
                {
                    Assert.True(await vault.DeleteSnapshotAsync(snapshot.Id, None));
                    deleted.Add(snapshot.Id);
                }
                else
                {
                    expected.Add(snapshot.Id);
                }
            }
        }

        await using var last = await TestVault.OpenAsync(backend);
        Assert.Equal(expected, [.. last.Snapshots.Select(snapshot => snapshot.Id)]);
        Assert.Empty(last.Log.Damage);
        var failure = await Assert.ThrowsAsync<StoreException>(async () =>
        {
            await using var session = await last.OpenSessionAsync(None);
            await session.CommitAsync(TestVault.Draft() with { Id = deleted[0] }, None);
        });
        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        Assert.False(await last.DeleteSnapshotAsync(deleted[0], None));
    }

    [Fact]
    public async Task Two_writers_take_turns_and_see_each_others_snapshots()
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        await using var two = await TestVault.OpenAsync(backend);
        var disks = Enumerable.Range(0, 12).Select(i =>
        {
            var disk = new SparseDisk(2 << 20);
            disk.Write(i * 1000, TestVault.Noise(i, 700_000));
            return disk;
        }).ToList();
        var snapshots = await Task.WhenAll(disks.Select((disk, i) => Task.Run(() => (i % 2 == 0 ? one : two).BackUpAsync(disk))));
        await using var three = await TestVault.OpenAsync(backend);
        for (var i = 0; i < disks.Count; i++)
            await three.AssertRestoresAsync(three.Find(snapshots[i].Id)!.Images[0].Image, disks[i]);
        Assert.Equal(12, snapshots.Select(snapshot => snapshot.LogSequence).Distinct().Count());
        Assert.True((await three.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    [Fact]
    public async Task A_sweep_of_another_process_ends_a_session_that_was_open_before()
    {
        var backend = new MemoryBackend();
        await using var one = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(2 << 20);
        disk.Write(0, TestVault.Noise(1, 900_000));
        var first = await one.BackUpAsync(disk);
        await using var session = await one.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(disk, null, null, None);
        await using (var two = await TestVault.OpenAsync(backend))
        {
            await two.DeleteSnapshotAsync(first.Id, None);
            Assert.True((await two.CollectAsync([], TestVault.AtOnce, None)).PacksDeleted > 0);
        }

        var failure = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(image), None));
        Assert.Equal(StoreErrorKind.Conflict, failure.Kind);
        await session.DisposeAsync();
        var again = await one.BackUpAsync(disk);
        await one.AssertRestoresAsync(again.Images[0].Image, disk);
    }
}
