using Microsoft.Extensions.DependencyInjection;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Sqlite;

/// <summary>Registered storage accounts are listed with their counts by one query, however many there are.</summary>
public sealed class ContainerQueryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_containers_and_what_is_in_them_are_one_query()
    {
        await using var database = await SqliteDatabase.NewAsync();
        var containers = database.Services.GetRequiredService<IContainerRepository>();
        var (vault, other) = (await AddVaultAsync(database, "vault1"), await AddVaultAsync(database, "vault2"));
        // The second begins as the first does, and the third holds a share under the same name in another vault.
        await AddAsync(database, vault, "files1", 3);
        await AddAsync(database, vault, "files10", 1);
        await AddAsync(database, vault, "empty", 0);
        await AddAsync(database, other, "files2", 2);

        IReadOnlyList<ContainerInUse> found = [];
        Assert.Equal(1, await database.Commands.CountAsync(async () => found = await containers.ListAsync(vault.Key, Token)));
        Assert.Equal([("storage;lab;empty", 0, 0), ("storage;lab;files1", 3, 1), ("storage;lab;files10", 1, 1)], found.Select(c => (c.Container.NativeName, c.Items, c.SoftDeletedItems)));
        ContainerInUse? one = null;
        Assert.Equal(1, await database.Commands.CountAsync(async () => one = await containers.FindAsync(vault.Key, "Storage;Lab;Files1", Token)));
        Assert.Equal(found[1], one);
        Assert.Null(await containers.FindAsync(other.Key, "storage;lab;files1", Token));
        Assert.Equal(["empty", "files1", "files10", "files2"], (await containers.ListRegisteredSourcesAsync(Token)).Select(source => source[(source.LastIndexOf('/') + 1)..]).Order(StringComparer.Ordinal));
    }

    private static async Task<Vault> AddVaultAsync(SqliteDatabase database, string name)
    {
        var vault = Sample.Vault(name);
        Assert.True(await database.Services.GetRequiredService<IVaultRepository>().TryAddAsync(vault, DefaultPolicies.For(vault.Key, vault.CreatedAt), Token));
        return vault;
    }

    /// <summary>Registers an account, and puts shares into it of which the first is soft-deleted.</summary>
    private static async Task AddAsync(SqliteDatabase database, Vault vault, string account, int shares)
    {
        var accountId = $"/subscriptions/{Sample.Subscription}/resourceGroups/Lab/providers/Microsoft.Storage/storageAccounts/{account}";
        var container = new RegisteredContainer { VaultKey = vault.Key, NativeName = ItemNames.OfAccount("Lab", account), FriendlyName = account, SourceResourceId = accountId, RegisteredAt = Sample.Now };
        Assert.True(await database.Services.GetRequiredService<IContainerRepository>().TryAddAsync(container, Token));
        for (var i = 0; i < shares; i++)
        {
            var source = $"{accountId}/fileServices/default/shares/share{i}";
            var item = Sample.Item(vault) with { NativeName = ItemNames.OfShare("Lab", account, source), SourceResourceId = source, DeletedAt = i == 0 ? Sample.Now : null };
            Assert.True(await database.Services.GetRequiredService<IItemRepository>().TryAddAsync(item, Token));
        }
    }
}
