using System.Collections.Immutable;
using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Vaults;

public sealed class VaultStorageTests
{
    [Fact]
    public async Task A_tag_names_the_storage_of_a_new_vault_and_its_store_is_made_there()
    {
        await using var rig = await Rig.NewAsync();
        var places = new NamedFolder(rig, "nas");
        Directory.CreateDirectory(places.Folder);

        var (vault, created) = await LifecycleOf(rig, places).PutAsync(Rig.Subscription, "Lab", "v1", _ => Wanted("nas"), Rig.Token);

        Assert.True(created);
        Assert.Equal(new VaultStorage("nas", places.PathOf(vault.Key)), (await rig.Vaults.FindAsync(vault.Key, Rig.Token))!.Storage);
        await using var stores = StoresOf(rig, places);
        Assert.Null(await stores.FindAsync(vault.Key, Rig.Token));
        await stores.OpenAsync(vault.Key, Rig.Token);
        Assert.True(File.Exists(Path.Combine(places.PathOf(vault.Key), "vault.json")));
        Assert.Empty(rig.Places.ListKeys());
        Assert.NotNull(await stores.FindAsync(vault.Key, Rig.Token));

        await stores.DeleteAsync(vault.Key, vault.Storage, Rig.Token);
        Assert.False(Directory.Exists(places.PathOf(vault.Key)));
    }

    [Fact]
    public async Task A_storage_that_nobody_configured_is_refused()
    {
        await using var rig = await Rig.NewAsync();

        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() =>
            LifecycleOf(rig, new NamedFolder(rig, "nas")).PutAsync(Rig.Subscription, "Lab", "v1", _ => Wanted("/etc"), Rig.Token));

        Assert.Equal(BackupRefusal.InvalidInput, refused.Refusal);
        Assert.Empty(await rig.Vaults.ListKeysAsync(Rig.Token));
    }

    [Fact]
    public async Task The_place_of_a_vault_is_fixed_when_it_is_made()
    {
        await using var rig = await Rig.NewAsync();
        var lifecycle = LifecycleOf(rig, new NamedFolder(rig, "nas"));
        var (vault, _) = await lifecycle.PutAsync(Rig.Subscription, "Lab", "v1", _ => Wanted(null), Rig.Token);

        var put = await Assert.ThrowsAsync<BackupRefusedException>(() => lifecycle.PutAsync(Rig.Subscription, "Lab", "v1", old => old! with { Tags = Wanted("nas").Tags }, Rig.Token));
        var patch = await Assert.ThrowsAsync<BackupRefusedException>(() => lifecycle.UpdateAsync(vault, old => old with { Tags = Wanted("nas").Tags }, Rig.Token));
        var changed = await lifecycle.UpdateAsync(vault, old => old with { Storage = new(null, "/elsewhere") }, Rig.Token);

        Assert.Equal(BackupRefusal.InvalidInput, put.Refusal);
        Assert.Equal(BackupRefusal.InvalidInput, patch.Refusal);
        Assert.Null(changed!.Storage);
    }

    [Fact]
    public async Task A_place_that_is_not_there_is_never_made()
    {
        await using var rig = await Rig.NewAsync();
        var places = new NamedFolder(rig, "nas");
        var (vault, _) = await LifecycleOf(rig, places).PutAsync(Rig.Subscription, "Lab", "v1", _ => Wanted("nas"), Rig.Token);
        await using var stores = StoresOf(rig, places);

        var missing = await Assert.ThrowsAsync<StoreException>(() => stores.OpenAsync(vault.Key, Rig.Token));

        Assert.Equal(StoreErrorKind.Io, missing.Kind);
        Assert.Contains("mounted", missing.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(places.Folder));
    }

    [Fact]
    public async Task Maintenance_gives_back_what_nobody_needs_and_passes_over_what_it_cannot_reach()
    {
        await using var rig = await Rig.NewAsync();
        var empty = await rig.NewVaultAsync("never-used");
        var vault = await rig.NewVaultAsync("v1");
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        var needed = store.Statistics.Packs;
        await using (var session = await store.OpenSessionAsync(Rig.Token))
        {
            // Stored and never committed. Packs are sealed in the background; one at least must be there.
            await session.WriteStreamAsync(new MemoryStream(RandomBytes(3 << 20)), null, null, Rig.Token);
            for (var i = 0; i < 500 && store.Statistics.Packs == needed; i++)
                await Task.Delay(20, Rig.Token);
        }

        var before = store.Statistics.Packs;
        var maintenance = new VaultMaintenance(rig.Vaults, rig.Points, rig.Stores, rig.Rules, new() { Grace = TimeSpan.Zero }, rig.Time, NullLogger<VaultMaintenance>.Instance);

        await maintenance.RunOnceAsync(Rig.Token);

        Assert.True(store.Statistics.Packs < before, $"{store.Statistics.Packs} of {before} packs are left");
        Assert.Null(await rig.Stores.FindAsync(empty.Key, Rig.Token));
        rig.Stores.Failure = new StoreException(StoreErrorKind.Io, "The disk is gone.");
        await maintenance.RunOnceAsync(Rig.Token);
        rig.Stores.Failure = null;
        await rig.AssertHoldsAsync(vault, Assert.Single(await rig.PointsAsync(vault, machine)), machine.Disks[0].Content);
    }

    [Fact]
    public async Task What_is_locked_stays_listed_when_its_deletion_fails()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        var point = Assert.Single(await rig.PointsAsync(vault, machine));
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        await store.Governance.SetLegalHoldAsync(new(point.SnapshotId), true, Rig.Token);

        var job = await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, Rig.NativeName(machine), Rig.Token))!);

        Assert.Equal("UserErrorRecoveryPointLocked", Assert.Single(job.Errors).Title);
        Assert.Equal(point.Name, Assert.Single(await rig.PointsAsync(vault, machine)).Name);
        await rig.AssertHoldsAsync(vault, point, machine.Disks[0].Content);
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(7).NextBytes(bytes);
        return bytes;
    }

    private static VaultLifecycle LifecycleOf(Rig rig, IVaultPlaces places) => new(rig.Vaults, rig.Items, rig.Containers, rig.Stores, places, rig.Time, NullLogger<VaultLifecycle>.Instance);

    private static VaultStores StoresOf(Rig rig, IVaultPlaces places) => new(places, rig.Key, rig.Vaults, rig.Points, new(), rig.Time, NullLogger<VaultStores>.Instance);

    private static Vault Wanted(string? storage) => new()
    {
        Key = default,
        SubscriptionId = Rig.Subscription,
        ResourceGroup = "Lab",
        Name = "v1",
        Location = "home",
        SkuName = "RS0",
        CreatedAt = default,
        ChangedAt = default,
        Tags = storage is null ? ImmutableSortedDictionary<string, string>.Empty : ImmutableSortedDictionary<string, string>.Empty.Add("Strongroom-Storage", storage),
    };

    /// <summary>The data folder and one folder of another disk.</summary>
    private sealed class NamedFolder(Rig rig, string known) : IVaultPlaces
    {
        public string Folder { get; } = Path.Combine(rig.Folder, "nas");

        public string PathOf(Guid key) => Path.Combine(Folder, key.ToString("N"));

        public VaultStorage? Choose(Guid vaultKey, string? name) => name == known ? new(name, PathOf(vaultKey)) : rig.Places.Choose(vaultKey, name);

        public IVaultPlace Open(Guid vaultKey, VaultStorage? storage) => storage is null ? rig.Places.Open(vaultKey, null) : new FolderPlace(storage.Location, true);

        public IReadOnlyList<Guid> ListKeys() => rig.Places.ListKeys();
    }
}
