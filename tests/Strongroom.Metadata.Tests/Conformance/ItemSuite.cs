using Strongroom.Backup.Items;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class ItemSuite : DatabaseSuite
{
    [Fact]
    public async Task An_item_is_found_by_its_names_in_any_case()
    {
        var vault = await AddVaultAsync();
        var item = Sample.Item(vault, "Web1") with { Disks = new([1, 2], true), LastBackupTime = Sample.Now };
        Assert.True(await Items.TryAddAsync(item, Token));

        var found = await Items.FindAsync(vault.Key, item.NativeName.ToUpperInvariant(), Token);

        Assert.NotNull(found);
        Assert.Equal(item.Disks!.Luns, found.Disks!.Luns);
        Assert.Equal(item with { Disks = found.Disks }, found);
        Assert.Equal(item.Key, (await Items.FindAsync(item.Key, Token))!.Key);
        Assert.Equal(item.Key, (await Items.FindBySourceAsync(item.SourceResourceId.ToUpperInvariant(), Token))!.Key);
        Assert.Equal([item.SourceResourceId.ToLowerInvariant()], await Items.ListProtectedSourcesAsync(Token));
        Assert.Null(await Items.FindAsync(Guid.NewGuid(), item.NativeName, Token));
    }

    [Fact]
    public async Task Of_many_vaults_that_protect_one_machine_exactly_one_wins()
    {
        var vaults = await Task.WhenAll(Enumerable.Range(0, 4).Select(n => AddVaultAsync($"vault{n}")));
        var items = Enumerable.Range(0, 32).Select(n => Sample.Item(vaults[n % 4], n % 3 == 0 ? "WEB1" : "web1")).ToArray();

        var won = await AtOnceAsync(32, n => Items.TryAddAsync(items[n], Token));

        Assert.Single(won, true);
        var source = items[0].SourceResourceId;
        Assert.Equal(items[Array.IndexOf(won, true)].Key, (await Items.FindBySourceAsync(source, Token))!.Key);
    }

    [Fact]
    public async Task An_item_of_a_vault_that_is_gone_is_not_added() => Assert.False(await Items.TryAddAsync(Sample.Item(Sample.Vault()), Token));

    [Fact]
    public async Task A_write_counts_the_version_and_an_older_version_is_refused()
    {
        var item = await AddItemAsync(await AddVaultAsync());

        Assert.True(await Items.TryUpdateAsync(item with { ProtectionState = ProtectionStates.Stopped }, Token));
        Assert.False(await Items.TryUpdateAsync(item with { ProtectionState = ProtectionStates.Protected }, Token));

        var found = (await Items.FindAsync(item.Key, Token))!;
        Assert.Equal(ProtectionStates.Stopped, found.ProtectionState);
        Assert.Equal(item.Version + 1, found.Version);
        Assert.True(await Items.TryUpdateAsync(found with { PolicyName = "" }, Token));
    }

    [Fact]
    public async Task Of_many_writers_who_read_the_same_item_exactly_one_wins()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        var won = await AtOnceAsync(32, n => Items.TryUpdateAsync(item with { DataId = $"{n}" }, Token));

        Assert.Single(won, true);
        Assert.Equal($"{Array.IndexOf(won, true)}", (await Items.FindAsync(item.Key, Token))!.DataId);
    }
}
