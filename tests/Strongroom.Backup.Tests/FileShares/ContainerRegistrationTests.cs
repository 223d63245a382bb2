using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.Items;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Tests.FileShares;

/// <summary>Storage accounts are registered with one vault, and stay so as long as shares of theirs are protected.</summary>
public sealed class ContainerRegistrationTests
{
    [Fact]
    public async Task An_account_is_offered_after_a_refresh_until_it_is_registered()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        rig.NewShare();
        Assert.Empty(await rig.Discovery.ListRegistrableAccountsAsync(vault, Rig.Token));
        await rig.Discovery.RefreshAsync(vault, Rig.Token);
        Assert.Equal("files1", Assert.Single(await rig.Discovery.ListRegistrableAccountsAsync(vault, Rig.Token)).Name);

        await rig.Registration.RegisterAsync(vault, RigShares.Container("files1"), RigShares.AccountId("files1"), Rig.Token);

        Assert.Empty(await rig.Discovery.ListRegistrableAccountsAsync(vault, Rig.Token));
        var found = Assert.Single(await rig.Containers.ListAsync(vault.Key, Rig.Token));
        Assert.Equal(("files1", 0), (found.Container.FriendlyName, found.Items));
        Assert.Equal("docs", Assert.Single(await rig.Discovery.ListProtectableSharesAsync(vault, Rig.Token)).Name);
        // Again: nothing changes.
        await rig.Registration.RegisterAsync(vault, RigShares.Container("files1"), RigShares.AccountId("FILES1"), Rig.Token);
        Assert.Equal(found, Assert.Single(await rig.Containers.ListAsync(vault.Key, Rig.Token)));
    }

    [Fact]
    public async Task An_account_of_another_vault_region_or_name_is_refused()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var other = await rig.NewVaultAsync("vault2");
        rig.NewShare();
        await rig.Registration.RegisterAsync(vault, RigShares.Container("files1"), RigShares.AccountId("files1"), Rig.Token);

        Assert.Equal(BackupRefusal.ContainerRegisteredElsewhere, await RefusalAsync(other, "files1", RigShares.AccountId("files1")));
        Assert.Equal(BackupRefusal.InvalidInput, await RefusalAsync(other, "files2", RigShares.AccountId("files1")));
        Assert.Equal(BackupRefusal.InvalidInput, await RefusalAsync(other, "files1", null));
        Assert.Equal(BackupRefusal.ContainerNotFound, await RefusalAsync(other, "nothere", RigShares.AccountId("nothere")));
        rig.Shares.Location = "elsewhere";
        Assert.Equal(BackupRefusal.InvalidInput, await RefusalAsync(other, "files1", RigShares.AccountId("files1")));

        async Task<BackupRefusal> RefusalAsync(Vault to, string account, string? source) =>
            (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Registration.RegisterAsync(to, RigShares.Container(account), source, Rig.Token))).Refusal;
    }

    [Fact]
    public async Task It_ends_when_no_share_is_protected_and_a_vault_goes_only_after_it()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        rig.NewShare();
        var item = await rig.ProtectShareAsync(vault);
        Assert.Equal(BackupRefusal.ContainerInUse, (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Registration.UnregisterAsync(vault, RigShares.Container("files1"), Rig.Token))).Refusal);

        await rig.Protection.DeleteAsync(vault, item.NativeName, Rig.Token);
        // Soft-deleted: its data is there.
        Assert.Equal((1, 1), (await rig.Containers.FindAsync(vault.Key, RigShares.Container("files1"), Rig.Token)) is { } used ? (used.Items, used.SoftDeletedItems) : default);
        Assert.Equal(BackupRefusal.ContainerInUse, (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Registration.UnregisterAsync(vault, RigShares.Container("files1"), Rig.Token))).Refusal);
    }

    [Fact]
    public async Task Without_items_it_ends_and_the_vault_can_go()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        rig.NewShare();
        await rig.Registration.RegisterAsync(vault, RigShares.Container("files1"), RigShares.AccountId("files1"), Rig.Token);
        Assert.Contains("storage;lab;files1", (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Lifecycle.DeleteAsync(vault, Rig.Token))).Message, StringComparison.Ordinal);

        Assert.NotNull(await rig.Registration.UnregisterAsync(vault, RigShares.Container("files1"), Rig.Token));
        Assert.Null(await rig.Registration.UnregisterAsync(vault, RigShares.Container("files1"), Rig.Token));
        await rig.Lifecycle.DeleteAsync(vault, Rig.Token);
    }

    [Fact]
    public async Task A_share_is_protected_only_in_a_registered_account_and_under_a_policy_for_shares()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        rig.NewShare();
        await rig.PutSharePolicyAsync(vault);
        Assert.Equal(BackupRefusal.InvalidConfigureProtection, await RefusalAsync(RigShares.Request("files1", "docs")));
        await rig.Registration.RegisterAsync(vault, RigShares.Container("files1"), RigShares.AccountId("files1"), Rig.Token);

        Assert.Equal(BackupRefusal.PolicyUnsuitable, await RefusalAsync(RigShares.Request("files1", "docs", "DefaultPolicy")));
        Assert.Equal(BackupRefusal.ItemNotFound, await RefusalAsync(RigShares.Request("files1", "other")));
        Assert.Equal(BackupRefusal.InvalidConfigureProtection, await RefusalAsync(RigShares.Request("files1", "docs") with { SourceResourceId = RigShares.AccountId("files2") }));
        var machine = rig.NewMachine("web1", FakeDisk.New(-1, "os", 1));
        Assert.Equal(BackupRefusal.PolicyUnsuitable, await RefusalAsync(Rig.Request(machine, "shares")));

        await rig.Protection.PutAsync(vault, RigShares.Request("files1", "docs"), Rig.Token);
        var item = (await rig.Items.FindAsync(vault.Key, RigShares.NativeName("files1", "docs"), Rig.Token))!;
        Assert.Equal((ItemKind.FileShare, "docs", "files1", "storage;lab;files1", ProtectionStates.InitialPending), (item.Kind, item.FriendlyName, item.AccountName, ItemNames.ContainerOf(item.NativeName), item.ProtectionState));
        Assert.Empty(await rig.Discovery.ListProtectableSharesAsync(vault, Rig.Token));
        await rig.ProtectAsync(vault, machine);
        Assert.Equal("docs", Assert.Single(await ListAsync(new() { Kind = ItemKind.FileShare })).FriendlyName);
        Assert.Equal("docs", Assert.Single(await ListAsync(new() { FriendlyName = "DOCS" })).FriendlyName);
        Assert.Equal("docs", Assert.Single(await ListAsync(new() { Container = "storage;LAB;files1" })).FriendlyName);
        Assert.Equal("web1", Assert.Single(await ListAsync(new() { Kind = ItemKind.VirtualMachine })).FriendlyName);
        Assert.Equal("web1", Assert.Single(await ListAsync(new() { Container = Rig.NativeName(machine) })).FriendlyName);
        Assert.Equal(2, (await ListAsync(new())).Count);

        Task<IReadOnlyList<ProtectedItem>> ListAsync(ItemQuery query) => rig.Items.ListAsync(vault.Key, query, null, 10, Rig.Token);

        async Task<BackupRefusal> RefusalAsync(ProtectionRequest request) => (await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Protection.PutAsync(vault, request, Rig.Token))).Refusal;
    }

    [Fact]
    public async Task What_can_be_protected_costs_no_more_queries_when_there_is_more_of_it()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        // One of the two is registered, the other is offered.
        foreach (var account in (string[])["files1", "files2"]) rig.NewShare(account);
        await rig.Registration.RegisterAsync(vault, RigShares.Container("files1"), RigShares.AccountId("files1"), Rig.Token);
        var few = await CountAsync();
        foreach (var number in Enumerable.Range(10, 8))
        {
            rig.NewShare($"files{number}");
            rig.NewShare($"offered{number}");
            await rig.Registration.RegisterAsync(vault, RigShares.Container($"files{number}"), RigShares.AccountId($"files{number}"), Rig.Token);
        }

        Assert.Equal((few.Accounts + 8, few.Shares + 8, few.Commands), await CountAsync());
        Assert.Equal((1, 1), (few.Accounts, few.Shares));

        async Task<(int Accounts, int Shares, (int, int, int) Commands)> CountAsync()
        {
            await rig.Discovery.RefreshAsync(vault, Rig.Token);
            var (accounts, shares) = (0, 0);
            var forAccounts = await rig.Commands.CountAsync(async () => accounts = (await rig.Discovery.ListRegistrableAccountsAsync(vault, Rig.Token)).Count);
            var forShares = await rig.Commands.CountAsync(async () => shares = (await rig.Discovery.ListProtectableSharesAsync(vault, Rig.Token)).Count);
            var usages = new VaultUsages(rig.Items, rig.Containers, rig.Ledger, rig.Stores, rig.Time, NullLogger<VaultUsages>.Instance);
            return (accounts, shares, (forAccounts, forShares, await rig.Commands.CountAsync(() => usages.CountAsync(vault.Key, Rig.Token))));
        }
    }

    [Fact]
    public void Names_are_read_as_clients_spell_them()
    {
        var native = RigShares.NativeName("files1", "docs");
        Assert.Equal($"StorageContainer;Storage;lab;files1|AzureFileShare;{native[^64..]}", ItemNames.Container(native) + "|" + ItemNames.Item(native));
        Assert.Equal(native, ItemNames.FromPath("storagecontainer;STORAGE;Lab;Files1", "azurefileshare;" + native[^64..].ToUpperInvariant()));
        Assert.Equal("storage;lab;files1", ItemNames.FromContainer("StorageContainer;storage;LAB;files1"));
        Assert.Null(ItemNames.FromPath("StorageContainer;Storage;lab;files1", "AzureFileShare;" + native[^63..]));
        Assert.Null(ItemNames.FromPath("StorageContainer;Storage;lab;files1", "VM;iaasvmcontainerv2;lab;web1"));
        Assert.Null(ItemNames.FromPath("IaasVMContainer;iaasvmcontainerv2;lab;web1", "AzureFileShare;" + native[^64..]));
        Assert.Null(ItemNames.FromContainer("StorageContainer;Storage;lab"));
        Assert.Null(ItemNames.FromContainer("StorageContainer;Storage;lab;a;azurefileshare;" + native[^64..]));
    }
}
