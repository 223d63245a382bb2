using Strongroom.Backup.Catalogue;
using Strongroom.Backup.Items;
using Strongroom.Backup.Tests.Support;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Catalogue;

public sealed class CatalogueRebuildTests
{
    [Fact]
    public async Task A_lost_catalogue_is_made_again_and_every_point_restores()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2));
        var item = await rig.ProtectAsync(vault, machine);
        var expiry = rig.Time.GetUtcNow().AddDays(40);
        await rig.BackUpAsync(vault, machine, expiry);
        await rig.BackUpAsync(vault, machine);
        var before = await rig.PointsAsync(vault, machine);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        await using var lost = await Rig.NewAsync();

        var report = await RunAsync(lost, store, Rig.Subscription);

        Assert.Equal((vault.Name, 1, 1, 2, 0, 0), (report.VaultName, report.VaultsAdded, report.ItemsAdded, report.PointsAdded, report.PointsKnown, report.SnapshotsPassedOver));
        var after = await lost.Points.ListAsync(item.Key, Rig.Token);
        Assert.Equal(before.Select(p => (p.Name, p.Time, p.SnapshotId, p.Consistency, p.ExpiresAt)), after.Select(p => (p.Name, p.Time, p.SnapshotId, p.Consistency, p.ExpiresAt)));
        Assert.Equal(before.SelectMany(p => p.Disks), after.SelectMany(p => p.Disks));
        Assert.Equal(before[0].Machine.ResourceId, after[0].Machine.ResourceId);
        var found = (await lost.Vaults.FindAsync(Rig.Subscription, "lab", vault.Name, Rig.Token))!;
        Assert.Equal((vault.Key, vault.Location, vault.CreatedAt), (found.Key, found.Location, found.CreatedAt));
        var made = (await lost.Items.FindAsync(found.Key, item.NativeName, Rig.Token))!;
        Assert.Equal((item.Key, item.DataId, "DefaultPolicy", ProtectionStates.Protected), (made.Key, made.DataId, made.PolicyName, made.ProtectionState));
        Assert.NotNull(await lost.Resources.GetGroupAsync(Rig.Subscription, "Lab", Rig.Token));

        // Again: nothing more to do.
        var again = await RunAsync(lost, store, Rig.Subscription);
        Assert.Equal((0, 0, 0, 2), (again.VaultsAdded, again.ItemsAdded, again.PointsAdded, again.PointsKnown));
    }

    [Fact]
    public async Task Another_servers_catalogue_gets_the_points_under_its_own_subscription()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        var item = await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        await using var other = await Rig.NewAsync();
        const string Theirs = "99999999-2222-3333-4444-555555555555";

        await RunAsync(other, await rig.Stores.OpenAsync(vault.Key, Rig.Token), Theirs);

        Assert.NotNull(await other.Vaults.FindAsync(Theirs, "Lab", vault.Name, Rig.Token));
        var made = (await other.Items.FindAsync(item.Key, Rig.Token))!;
        Assert.StartsWith($"/subscriptions/{Theirs}/", made.SourceResourceId, StringComparison.Ordinal);
        Assert.Equal(made.SourceResourceId, Assert.Single(await other.Points.ListAsync(item.Key, Rig.Token)).Machine.ResourceId);
    }

    [Fact]
    public async Task A_vault_that_was_made_anew_under_the_name_is_not_mixed_with_the_old_one()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        await rig.ProtectAsync(vault, machine);
        await rig.BackUpAsync(vault, machine);
        await using var other = await Rig.NewAsync();
        await other.NewVaultAsync();

        var refused = await Assert.ThrowsAsync<BackupRefusedException>(async () => await RunAsync(other, await rig.Stores.OpenAsync(vault.Key, Rig.Token), Rig.Subscription));

        Assert.Equal(BackupRefusal.Conflict, refused.Refusal);
        Assert.Null(await other.Vaults.FindAsync(vault.Key, Rig.Token));
    }

    [Fact]
    public async Task A_policy_that_the_log_does_not_hold_stops_the_protection_and_says_so()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        var item = await rig.ProtectAsync(vault, machine);
        await rig.PutPolicyAsync(vault, 7, name: "Nightly");
        Assert.True(await rig.Items.TryUpdateAsync(item with { PolicyName = "Nightly" }, Rig.Token));
        await rig.BackUpAsync(vault, machine);
        await using var lost = await Rig.NewAsync();

        var report = await RunAsync(lost, await rig.Stores.OpenAsync(vault.Key, Rig.Token), Rig.Subscription);

        Assert.Contains(report.Notes, note => note.Contains("Nightly", StringComparison.Ordinal));
        var made = (await lost.Items.FindAsync(item.Key, Rig.Token))!;
        Assert.Equal((ProtectionStates.Stopped, ""), (made.ProtectionState, made.PolicyName));
    }

    [Fact]
    public async Task Snapshots_of_other_programs_belong_to_no_item()
    {
        await using var rig = await Rig.NewAsync();
        var store = await rig.Stores.OpenAsync(Guid.NewGuid(), Rig.Token);
        await using (var session = await store.OpenSessionAsync(Rig.Token))
            await session.CommitAsync(new() { Id = new(Guid.NewGuid()), ItemId = "/srv/disk.raw", Images = [] }, Rig.Token);

        var report = await RunAsync(rig, store, Rig.Subscription);

        Assert.Equal(new RebuildReport(null, 0, 0, 0, 0, 1, report.Notes), report);
        Assert.Empty(await rig.Vaults.ListKeysAsync(Rig.Token));
    }

    private static Task<RebuildReport> RunAsync(Rig rig, VaultStore store, string subscription) =>
        new CatalogueRebuild(rig.Vaults, rig.Items, rig.Policies, rig.Containers, rig.Resources, rig.Get<ICatalogueWriter>(), rig.Time).RunAsync(store, null, subscription, Rig.Token);
}
