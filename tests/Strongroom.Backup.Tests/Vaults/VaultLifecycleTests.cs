using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Vaults;

public sealed class VaultLifecycleTests
{
    [Fact]
    public async Task A_vault_is_made_once_and_changed_after_that()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, isNew) = await rig.Lifecycle.PutAsync(Rig.Subscription, "Lab", "vault1", e => Wanted(e, "A"), Rig.Token);
        Assert.True(isNew);
        Assert.Equal(3, (await rig.Policies.ListAsync(vault.Key, Rig.Token)).Count);

        // The clock stands still, and the etag changes all the same.
        var (changed, isNewAgain) = await rig.Lifecycle.PutAsync(Rig.Subscription, "LAB", "VAULT1", e => Wanted(e, "B"), Rig.Token);

        Assert.False(isNewAgain);
        Assert.Equal((vault.Key, vault.CreatedAt, "B"), (changed.Key, changed.CreatedAt, changed.SkuName));
        Assert.NotEqual(vault.ETag, changed.ETag);
        rig.Time.AdjustTime(rig.Time.GetUtcNow().AddDays(-1));
        Assert.True((await rig.Lifecycle.UpdateAsync(vault, v => v, Rig.Token))!.ChangedAt > changed.ChangedAt);
    }

    [Fact]
    public async Task A_change_that_met_another_is_made_again_on_top_of_it()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var calls = 0;

        var result = await rig.Lifecycle.UpdateAsync(vault, v =>
        {
            if (++calls == 1) Assert.NotNull(rig.Lifecycle.UpdateAsync(vault, w => w with { SkuTier = "theirs" }, Rig.Token).GetAwaiter().GetResult());
            return v with { SkuName = "mine" };
        }, Rig.Token);

        Assert.Equal((2, "mine", "theirs"), (calls, result!.SkuName, result.SkuTier));
        Assert.Equal("theirs", (await rig.Vaults.FindAsync(vault.Key, Rig.Token))!.SkuTier);
    }

    [Fact]
    public async Task A_change_that_always_meets_another_is_a_conflict()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Vault Change(Vault v)
        {
            Assert.True(rig.Vaults.TryUpdateAsync(v with { ChangedAt = v.ChangedAt.AddTicks(5) }, v.ChangedAt, Rig.Token).GetAwaiter().GetResult());
            return v;
        }

        var update = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Lifecycle.UpdateAsync(vault, Change, Rig.Token));
        var put = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Lifecycle.PutAsync(Rig.Subscription, "Lab", "vault1", e => Change(e!), Rig.Token));

        Assert.Equal((BackupRefusal.Conflict, BackupRefusal.Conflict), (update.Refusal, put.Refusal));
    }

    [Fact]
    public async Task Many_who_put_one_vault_at_once_make_one()
    {
        await using var rig = await Rig.NewAsync();
        var puts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => rig.Lifecycle.PutAsync(Rig.Subscription, "Lab", "vault1", e => Wanted(e, "A"), Rig.Token))));
        Assert.Single(puts, p => p.Created);
        Assert.Single(puts.Select(p => p.Vault.Key).Distinct());
    }

    [Fact]
    public async Task A_vault_with_items_says_so_and_an_empty_one_goes_with_its_store()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Lifecycle.DeleteAsync(vault, Rig.Token));
        Assert.Equal(BackupRefusal.VaultNotEmpty, refused.Refusal);
        Assert.Contains("existing resources within the vault", refused.Message, StringComparison.Ordinal);

        await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token);
        refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Lifecycle.DeleteAsync(vault, Rig.Token));
        Assert.Equal(BackupRefusal.VaultHoldsSoftDeleted, refused.Refusal);
        Assert.Empty(rig.Stores.Deleted);

        var empty = await rig.NewVaultAsync("empty");
        await rig.Lifecycle.DeleteAsync(empty, Rig.Token);
        Assert.Equal([empty.Key], rig.Stores.Deleted);
        Assert.Null(await rig.Vaults.FindAsync(empty.Key, Rig.Token));
        Assert.Null(await rig.Lifecycle.UpdateAsync(empty, v => v, Rig.Token));
    }

    [Fact]
    public async Task A_store_that_could_not_be_removed_is_swept_later_and_no_other()
    {
        await using var rig = await Rig.NewAsync();
        var (kept, gone) = (await rig.NewVaultAsync("kept"), await rig.NewVaultAsync("gone"));
        rig.Stores.Failure = new IOException("busy");
        await rig.Lifecycle.DeleteAsync(gone, Rig.Token);
        rig.Stores.Failure = null;
        Assert.Empty(rig.Stores.Deleted);

        await rig.Lifecycle.SweepAsync([kept.Key, gone.Key], Rig.Token);

        Assert.Equal([gone.Key], rig.Stores.Deleted);
    }

    [Fact]
    public async Task A_store_that_the_database_does_not_know_is_kept_while_it_holds_recovery_points_or_cannot_be_asked()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        // An older copy of the database, or another server's: no row knows the store.
        await using var other = await Rig.NewAsync();
        var lifecycle = new VaultLifecycle(other.Vaults, other.Items, other.Containers, rig.Stores, rig.Places, rig.Time, NullLogger<VaultLifecycle>.Instance);

        await lifecycle.SweepAsync([vault.Key], Rig.Token);
        Assert.Empty(rig.Stores.Deleted);

        rig.Stores.Failure = new StoreException(StoreErrorKind.WrongKey, "Another key.");
        await lifecycle.SweepAsync([vault.Key], Rig.Token);
        rig.Stores.Failure = null;
        Assert.Empty(rig.Stores.Deleted);
        await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, machine)), machine.Disks[0].Content);
    }

    [Fact]
    public async Task Stores_on_disk_are_listed_opened_once_and_removed_whole()
    {
        await using var rig = await Rig.NewAsync();
        var folder = Path.Combine(rig.Folder, "vaults");
        await using var stores = new VaultStores(rig.Places, rig.Key, rig.Vaults, rig.Points, new(), rig.Time, NullLogger<VaultStores>.Instance);
        Assert.Empty(rig.Places.ListKeys());
        var (a, b) = (Guid.NewGuid(), Guid.NewGuid());

        var opened = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => stores.OpenAsync(a, Rig.Token))));
        Assert.Single(opened.Distinct());
        var other = await stores.OpenAsync(b, Rig.Token);
        Assert.NotEqual(opened[0].VaultId, other.VaultId);
        Directory.CreateDirectory(Path.Combine(folder, Guid.NewGuid().ToString("N") + ".deleted"));
        Directory.CreateDirectory(Path.Combine(folder, "lost+found"));
        Assert.Equal(new[] { a, b }.Order(), rig.Places.ListKeys().Order());

        await stores.DeleteAsync(a, null, Rig.Token);
        await stores.DeleteAsync(a, null, Rig.Token);

        Assert.Equal([b], rig.Places.ListKeys());
        Assert.Empty(Directory.GetDirectories(folder, "*.deleted"));
        // Open files would keep the room of what was deleted; the back end leaves those that it has dropped to the collector.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.DoesNotContain(OpenFiles(), file => file.Contains(a.ToString("N"), StringComparison.Ordinal));
        Assert.NotEqual(opened[0].VaultId, (await stores.OpenAsync(a, Rig.Token)).VaultId);
    }

    private static IEnumerable<string> OpenFiles() =>
        Directory.GetFileSystemEntries("/proc/self/fd").Select(fd => new FileInfo(fd).LinkTarget ?? "");

    private static Vault Wanted(Vault? existing, string sku) => (existing ?? new Vault
    {
        Key = default,
        SubscriptionId = Rig.Subscription,
        ResourceGroup = "Lab",
        Name = "vault1",
        Location = "home",
        SkuName = "",
        CreatedAt = default,
        ChangedAt = default,
    }) with
    { SkuName = sku };

    [Fact]
    public async Task A_store_that_should_be_there_is_not_made_anew()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        // The disk with the stores is not mounted.
        await using var stores = new VaultStores(rig.Places, rig.Key, rig.Vaults, rig.Points, new(), rig.Time, NullLogger<VaultStores>.Instance);

        var missing = await Assert.ThrowsAsync<StoreException>(() => stores.OpenAsync(vault.Key, Rig.Token));

        Assert.Equal(StoreErrorKind.NotFound, missing.Kind);
        Assert.Empty(rig.Places.ListKeys());
    }
}
