using System.Text.Json.Nodes;
using Strongroom.Backup.Policies;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class VaultSuite : DatabaseSuite
{
    [Fact]
    public async Task A_vault_is_found_by_names_in_any_case_and_keeps_its_own_spelling()
    {
        var vault = Sample.Vault("Vault-One") with
        {
            Tags = Sample.Vault().Tags.Add("Env", "lab"),
            Properties = new JsonObject { ["publicNetworkAccess"] = "Enabled" },
            Config = new() { SoftDeleteRetentionDays = 30, IsStorageTypeLocked = true },
        };
        Assert.True(await Vaults.TryAddAsync(vault, [], Token));

        var found = await Vaults.FindAsync(Sample.Subscription.ToUpperInvariant(), "LAB", "vault-ONE", Token);

        Assert.NotNull(found);
        Assert.Equal("Vault-One", found.Name);
        Assert.Equal("Lab", found.ResourceGroup);
        Assert.Equal(vault.Key, found.Key);
        Assert.Equal(vault.Config, found.Config);
        Assert.Equal("lab", found.Tags["Env"]);
        Assert.Equal("Enabled", (string?)found.Properties["publicNetworkAccess"]);
        Assert.Equal(vault.ETag, found.ETag);
    }

    [Fact]
    public async Task Of_many_who_add_one_vault_exactly_one_wins_and_only_its_policies_are_there()
    {
        var candidates = Enumerable.Range(0, 32).Select(n => Sample.Vault(n % 2 == 0 ? "vault1" : "VAULT1")).ToArray();
        var won = await AtOnceAsync(32, n => Vaults.TryAddAsync(candidates[n], DefaultPolicies.For(candidates[n].Key, Sample.Now), Token));

        var winner = candidates[Array.IndexOf(won, true)];
        Assert.Single(won, true);
        Assert.Equal(winner.Key, (await Vaults.FindAsync(Sample.Subscription, "lab", "vault1", Token))!.Key);
        Assert.Equal(winner.Key, Assert.Single(await Vaults.ListKeysAsync(Token)));
        foreach (var vault in candidates) Assert.Equal(vault == winner ? 3 : 0, (await Policies.ListAsync(vault.Key, Token)).Count);
    }

    [Fact]
    public async Task The_same_name_is_free_in_another_group_or_subscription()
    {
        await AddVaultAsync();
        Assert.True(await Vaults.TryAddAsync(Sample.Vault(group: "other"), [], Token));
        Assert.True(await Vaults.TryAddAsync(Sample.Vault() with { SubscriptionId = Guid.NewGuid().ToString() }, [], Token));
    }

    [Fact]
    public async Task Lists_are_in_the_order_of_creation()
    {
        var names = new[] { "c", "a", "b" };
        foreach (var (n, name) in names.Index())
            Assert.True(await Vaults.TryAddAsync(Sample.Vault(name, n == 1 ? "Other" : "Lab") with { CreatedAt = Sample.Now.AddMinutes(n) }, [], Token));

        Assert.Equal(names, (await Vaults.ListAsync(Sample.Subscription.ToUpperInvariant(), null, Token)).Select(v => v.Name));
        Assert.Equal(["c", "b"], (await Vaults.ListAsync(Sample.Subscription, "LAB", Token)).Select(v => v.Name));
        Assert.Empty(await Vaults.ListAsync(Guid.NewGuid().ToString(), null, Token));
    }

    [Fact]
    public async Task A_write_over_a_vault_that_was_written_since_is_refused()
    {
        var vault = await AddVaultAsync();
        var mine = vault with { SkuName = "Standard", ChangedAt = Sample.Now.AddTicks(1) };
        var theirs = vault with { SkuName = "Premium", ChangedAt = Sample.Now.AddTicks(2) };

        Assert.True(await Vaults.TryUpdateAsync(mine, vault.ChangedAt, Token));
        Assert.False(await Vaults.TryUpdateAsync(theirs, vault.ChangedAt, Token));
        Assert.Equal("Standard", (await Vaults.FindAsync(vault.Key, Token))!.SkuName);
        Assert.False(await Vaults.TryUpdateAsync(Sample.Vault("gone"), Sample.Now, Token));
    }

    [Fact]
    public async Task Of_many_writers_who_read_the_same_vault_exactly_one_wins()
    {
        var vault = await AddVaultAsync();
        var won = await AtOnceAsync(32, n => Vaults.TryUpdateAsync(vault with { SkuTier = $"{n}", ChangedAt = Sample.Now.AddTicks(n + 1) }, vault.ChangedAt, Token));

        Assert.Single(won, true);
        Assert.Equal($"{Array.IndexOf(won, true)}", (await Vaults.FindAsync(vault.Key, Token))!.SkuTier);
    }

    [Fact]
    public async Task A_vault_with_an_item_is_not_deleted_and_loses_nothing()
    {
        var vault = Sample.Vault();
        Assert.True(await Vaults.TryAddAsync(vault, DefaultPolicies.For(vault.Key, Sample.Now), Token));
        var item = await AddItemAsync(vault);
        Assert.True(await Ledger.TryAdmitAsync(Sample.Job(item), Token));

        Assert.False(await Vaults.TryDeleteEmptyAsync(vault.Key, Token));

        Assert.NotNull(await Vaults.FindAsync(vault.Key, Token));
        Assert.Equal(3, (await Policies.ListAsync(vault.Key, Token)).Count);
        Assert.Single(await Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Token));
    }

    [Fact]
    public async Task An_empty_vault_goes_with_its_policies_and_jobs_and_leaves_others_alone()
    {
        var vault = Sample.Vault();
        var other = Sample.Vault("other");
        foreach (var v in new[] { vault, other })
        {
            Assert.True(await Vaults.TryAddAsync(v, DefaultPolicies.For(v.Key, Sample.Now), Token));
            await Ledger.RecordAsync(Sample.Job(Sample.Item(v)).Ended(), Token);
        }

        Assert.True(await Vaults.TryDeleteEmptyAsync(vault.Key, Token));

        Assert.Null(await Vaults.FindAsync(vault.Key, Token));
        Assert.Empty(await Policies.ListAsync(vault.Key, Token));
        Assert.Empty(await Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Token));
        Assert.Equal(3, (await Policies.ListAsync(other.Key, Token)).Count);
        Assert.Single(await Ledger.ListAsync(other.Key, new(), null, int.MaxValue, Token));
    }

    [Fact]
    public async Task A_vault_is_never_deleted_under_an_item_that_is_being_added()
    {
        for (var round = 0; round < 20; round++)
        {
            var vault = await AddVaultAsync($"vault{round}");
            var items = Enumerable.Range(0, 3).Select(n => Sample.Item(vault, $"vm{round}-{n}")).ToArray();
            var done = await AtOnceAsync(4, n => n == 3 ? Vaults.TryDeleteEmptyAsync(vault.Key, Token) : Items.TryAddAsync(items[n], Token));

            // Either the deletion came first and no item was added, or all were and it was refused.
            Assert.NotEqual(done[0], done[3]);
            Assert.Single(done[..3].Distinct());
            Assert.Equal(done[3] ? 0 : 3, (await Items.ListAsync(vault.Key, Token)).Count);
        }
    }
}
