using Microsoft.Extensions.Time.Testing;
using Strongroom.Store.Scrub;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Scrub;

public sealed class ScrubTests
{
    private static readonly ScrubOptions All = new();

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_whole_vault_is_covered_and_every_snapshot_has_its_oldest_verification(bool isDeep)
    {
        var (storage, _) = await MakeAsync();
        var clock = TestVault.Clock();
        clock.Advance(TimeSpan.FromDays(1));
        await using var vault = await OpenAsync(storage, clock);
        var report = await vault.ScrubAsync(All with { Deep = isDeep }, null, None);
        var packs = await PacksAsync(storage);
        Assert.True(report.IsHealthy);
        Assert.Equal(packs.Count, report.PacksRead);
        Assert.Equal(packs.Count, report.PacksVerified);
        Assert.Equal(packs.Sum(pack => pack.LengthBytes), report.BytesRead);
        Assert.Equal(vault.Snapshots.Select(snapshot => snapshot.Id).ToHashSet(), report.Snapshots.Select(one => one.Id).ToHashSet());
        Assert.All(report.Snapshots, one => Assert.Equal(report.OldestVerification, one.OldestVerification));
        Assert.True(report.OldestVerification >= clock.GetUtcNow());
    }

    [Fact]
    public async Task Limited_scrubs_go_on_where_the_last_one_ended_and_cover_all()
    {
        var (storage, _) = await MakeAsync();
        var clock = TestVault.Clock();
        var packs = (await PacksAsync(storage)).Count;
        for (var run = 1; run <= packs; run++)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await using var vault = await OpenAsync(storage, clock);
            var report = await vault.ScrubAsync(All with { MaxBytes = 1 }, null, None);
            Assert.Equal(1, report.PacksRead);
            Assert.Equal(run, report.PacksVerified);
            Assert.Equal(run == packs, report.OldestVerification is not null);
            Assert.Single(await storage.AllAsync("scrub/"));
        }

        await using var again = await OpenAsync(storage, clock);
        Assert.Equal(0, (await again.ScrubAsync(All with { OlderThan = TimeSpan.FromDays(1) }, null, None)).PacksRead);
        Assert.Equal(packs, (await again.ScrubAsync(All with { Deep = true, OlderThan = TimeSpan.FromDays(1) }, null, None)).PacksRead);
        Assert.Equal(0, (await again.ScrubAsync(All with { Deep = true, OlderThan = TimeSpan.FromDays(1) }, null, None)).PacksRead);
    }

    [Theory]
    [InlineData((int)Death.Before)]
    [InlineData((int)Death.After)]
    [InlineData((int)Death.Torn)]
    public async Task A_scrub_that_dies_at_any_change_leaves_what_the_next_one_needs(int death)
    {
        var (whole, _) = await MakeAsync();
        await DamageAsync(whole, (await whole.AllAsync("packs/"))[0].Name, isDeleted: false);
        await using (var vault = await TestVault.OpenAsync(whole))
            await vault.ScrubAsync(All with { MaxBytes = 1 }, null, None);
        await DamageAsync(whole, (await whole.AllAsync("packs/"))[1].Name, isDeleted: false);
        for (var diesAt = 0; ; diesAt++)
        {
            var storage = await whole.CopyAsync();
            var dying = new DyingBackend(storage, diesAt, (Death)death);
            try
            {
                await using var vault = await TestVault.OpenAsync(dying);
                await vault.ScrubAsync(All, null, None);
            }
            catch (StoreException)
            {
                Assert.True(dying.IsDead);
            }

            await using var next = await TestVault.OpenAsync(storage);
            var report = await next.ScrubAsync(All, null, None);
            Assert.Equal(2, report.Damaged.Count);
            Assert.Equal(report.Packs - 2, report.PacksVerified);
            Assert.Equal(2, next.QuarantinedPacks);
            if (!dying.IsDead)
                break;
        }
    }

    [Theory]
    [InlineData("packs/", false)]
    [InlineData("packs/", true)]
    [InlineData("meta/", false)]
    [InlineData("meta/", true)]
    public async Task Damage_is_put_in_quarantine_names_the_snapshots_and_the_next_backup_of_changes_stores_it_anew(string prefix, bool isDeleted)
    {
        var storage = new MemoryBackend();
        var disk = new SparseDisk(8 << 20);
        disk.Write(0, TestVault.Noise(1, 8 << 20));
        ImageRef parent;
        SnapshotId first;
        await using (var vault = await TestVault.CreateAsync(storage))
        {
            var snapshot = await vault.BackUpAsync(disk);
            (parent, first) = (snapshot.Images[0].Image, snapshot.Id);
        }

        await DamageAsync(storage, (await storage.AllAsync(prefix))[0].Name, isDeleted);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            var report = await vault.ScrubAsync(All, null, None);
            Assert.False(report.IsHealthy);
            Assert.Single(report.Damaged);
            Assert.Equal(first, Assert.Single(report.Snapshots, one => one.IsDamaged).Id);
        }

        // Another process: what it knows of the damage it has from the log alone.
        disk.MarkClean();
        disk.TracksChanges = true;
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            Assert.Equal(1, vault.QuarantinedPacks);
            var next = await vault.BackUpCountedAsync(disk, parent);
            Assert.True(next.Statistics.BytesRead > 0);
            await vault.AssertRestoresAsync(next.Image, disk);
            var health = (await vault.ScrubAsync(All, null, None)).Snapshots;
            Assert.Equal(first, Assert.Single(health, one => one.IsDamaged).Id);

            // Once nothing needs it any more it is collected, and leaves the quarantine.
            await vault.DeleteSnapshotAsync(first, None);
            if (isDeleted)
                return;
            await vault.CollectAsync([], TestVault.AtOnce, None);
            Assert.Equal(0, vault.QuarantinedPacks);
            Assert.True((await vault.ScrubAsync(All, null, None)).IsHealthy);
            await vault.AssertRestoresAsync(next.Image, disk);
        }
    }

    [Fact]
    public async Task A_pack_that_was_put_back_is_released()
    {
        var (storage, disks) = await MakeAsync();
        var name = (await storage.AllAsync("packs/"))[0].Name;
        var whole = await storage.ContentAsync(name);
        await DamageAsync(storage, name, isDeleted: true);
        await using (var vault = await TestVault.OpenAsync(storage))
            Assert.Single((await vault.ScrubAsync(All, null, None)).Damaged);
        await storage.PutIfAbsentAsync(name, whole, None);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            var report = await vault.ScrubAsync(All with { OlderThan = TimeSpan.FromDays(1) }, null, None);
            Assert.Equal(1, report.Released);
            Assert.True(report.IsHealthy);
            Assert.Equal(0, vault.QuarantinedPacks);
            await vault.AssertRestoresAsync(disks[0].Image, disks[0].Disk);
        }
    }

    [Fact]
    public async Task Quarantine_outlasts_checkpoints()
    {
        var (storage, _) = await MakeAsync();
        await DamageAsync(storage, (await storage.AllAsync("packs/"))[0].Name, isDeleted: false);
        await using (var vault = await TestVault.OpenAsync(storage))
        {
            await vault.ScrubAsync(All, null, None);
            for (var i = 0; i < 300; i++)
                await vault.BackUpAsync(new SparseDisk(i));
        }

        await using var opened = await TestVault.OpenAsync(storage);
        Assert.Equal(1, opened.QuarantinedPacks);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(60)]
    public async Task A_ledger_that_somebody_changed_is_not_believed(int place)
    {
        var (storage, _) = await MakeAsync();
        await using (var vault = await TestVault.OpenAsync(storage))
            await vault.ScrubAsync(All, null, None);
        var ledger = Assert.Single(await storage.AllAsync("scrub/"));
        var content = await storage.ContentAsync(ledger.Name);
        content[place] ^= 1;
        await storage.ReplaceAsync(ledger.Name, content);
        await using var opened = await TestVault.OpenAsync(storage);
        var report = await opened.ScrubAsync(All with { OlderThan = TimeSpan.FromDays(1) }, null, None);
        Assert.Equal(report.Packs, report.PacksRead);
    }

    [Fact]
    public async Task A_budget_holds_on_average()
    {
        var (storage, _) = await MakeAsync();
        var clock = TestVault.Clock();
        var bytes = (await PacksAsync(storage)).Sum(pack => pack.LengthBytes);
        await using var vault = await OpenAsync(storage, clock);
        var started = clock.GetUtcNow();
        var scrub = vault.ScrubAsync(All with { BudgetBytesPerSecond = bytes / 10 }, null, None);
        while (!scrub.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMilliseconds(100));
            await Task.Delay(1, None);
        }

        // A second's worth may pass at once, and the last pack is waited for before it is read.
        Assert.InRange((clock.GetUtcNow() - started).TotalSeconds, 8.5, 60);
        Assert.Equal(bytes, (await scrub).BytesRead);
    }

    private static Task<VaultStore> OpenAsync(IBlobBackend storage, FakeTimeProvider clock) =>
        VaultStore.OpenAsync(storage, TestVault.Key, TestVault.Small, clock, None);

    private static async Task<List<BlobInfo>> PacksAsync(IBlobBackend storage) =>
        [.. await storage.AllAsync("packs/"), .. await storage.AllAsync("meta/")];

    private static async Task DamageAsync(MemoryBackend storage, string name, bool isDeleted)
    {
        var content = await storage.ContentAsync(name);
        content[100] ^= 4;
        if (isDeleted)
            await storage.DeleteAsync(name, None);
        else
            await storage.ReplaceAsync(name, content);
    }

    private static async Task<(MemoryBackend Storage, List<(ImageRef Image, SparseDisk Disk)> Disks)> MakeAsync()
    {
        var storage = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(storage);
        var disks = new List<(ImageRef, SparseDisk)>();
        for (var i = 0; i < 2; i++)
        {
            var disk = new SparseDisk(3 << 20);
            disk.Write(0, TestVault.Noise(i, 2_500_000));
            disks.Add(((await vault.BackUpAsync(disk)).Images[0].Image, disk));
        }

        return (storage, disks);
    }
}
