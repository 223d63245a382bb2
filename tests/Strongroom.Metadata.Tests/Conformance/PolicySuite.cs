using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Verification;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class PolicySuite : DatabaseSuite
{
    [Fact]
    public async Task A_policy_is_replaced_by_one_whose_name_differs_in_case_only()
    {
        var vault = await AddVaultAsync(hasPolicies: false);
        await PutAsync(Policy(vault.Key, "Gold", 7));
        await PutAsync(Policy(vault.Key, "GOLD", 9));

        Assert.Equal(9, (int)(await Policies.FindAsync(vault.Key, "gold", Token))!.Properties["days"]!);
        Assert.Single(await Policies.ListAsync(vault.Key, Token));
        Assert.Null(await Policies.FindAsync(Guid.NewGuid(), "gold", Token));
    }

    [Fact]
    public async Task What_is_said_of_verification_stays_while_others_write_the_policy()
    {
        var vault = await AddVaultAsync(hasPolicies: false);
        var verification = new RestoreVerification { IsEnabled = true, After = VerificationFrequencies.Daily, TimeoutSeconds = 90, ConsolePattern = "login:" };
        Assert.False(await Policies.TrySetVerificationAsync(vault.Key, "gold", verification, Token));
        await PutAsync(Policy(vault.Key, "Gold", 1));
        Assert.True(await Policies.TrySetVerificationAsync(vault.Key, "gold", verification, Token));

        await AtOnceAsync(16, async n => { await PutAsync(Policy(vault.Key, "gold", n)); return n; });

        Assert.Equal(verification, (await Policies.FindAsync(vault.Key, "gold", Token))!.Verification);
        Assert.True(await Policies.TrySetVerificationAsync(vault.Key, "GOLD", null, Token));
        Assert.Null((await Policies.FindAsync(vault.Key, "gold", Token))!.Verification);
    }

    [Fact]
    public async Task Many_who_put_a_new_policy_at_once_all_succeed_and_one_policy_is_there()
    {
        var vault = await AddVaultAsync(hasPolicies: false);
        await AtOnceAsync(32, async n => { await PutAsync(Policy(vault.Key, "gold", n)); return n; });
        Assert.Single(await Policies.ListAsync(vault.Key, Token));
    }

    [Fact]
    public async Task A_list_counts_the_items_that_each_policy_protects()
    {
        var vault = await AddVaultAsync(hasPolicies: false);
        var other = await AddVaultAsync("other");
        foreach (var name in new[] { "DefaultPolicy", "Gold" }) await PutAsync(Policy(vault.Key, name, 1));
        await AddItemAsync(vault, "a");
        await AddItemAsync(other, "b");
        var moved = await AddItemAsync(vault, "c");
        Assert.True(await Items.TryUpdateAsync(moved with { PolicyName = "GOLD" }, Token));
        var stopped = await AddItemAsync(vault, "d");
        Assert.True(await Items.TryUpdateAsync(stopped with { PolicyName = "" }, Token));

        var listed = (await Policies.ListAsync(vault.Key, Token)).ToDictionary(p => p.Policy.Name, p => p.ProtectedItems);

        Assert.Equal(new Dictionary<string, int> { ["DefaultPolicy"] = 1, ["Gold"] = 1 }, listed);
    }

    [Fact]
    public async Task A_policy_is_found_with_the_number_of_its_items()
    {
        var vault = await AddVaultAsync();
        await PutAsync(Policy(vault.Key, "Gold", 1));
        var item = await AddItemAsync(vault, "a");
        Assert.True(await Items.TryUpdateAsync(item with { PolicyName = "gold" }, Token));

        var found = (await Policies.FindInUseAsync(vault.Key, "GOLD", Token))!;

        Assert.Equal(("Gold", 1), (found.Policy.Name, found.ProtectedItems));
        Assert.Null(await Policies.FindInUseAsync(vault.Key, "silver", Token));
    }

    [Fact]
    public async Task A_policy_is_deleted_only_when_no_item_has_it()
    {
        var vault = await AddVaultAsync();
        var other = await AddVaultAsync("other");
        foreach (var v in new[] { vault, other }) await PutAsync(Policy(v.Key, "Gold", 1));
        var item = await AddItemAsync(vault, "a");
        Assert.True(await Items.TryUpdateAsync(item with { PolicyName = "GOLD" }, Token));

        Assert.Equal(PolicyDeletion.InUse, await Policies.DeleteAsync(vault.Key, "gold", Token));
        Assert.NotNull(await Policies.FindAsync(vault.Key, "gold", Token));
        Assert.Equal(PolicyDeletion.Deleted, await Policies.DeleteAsync(other.Key, "gold", Token));
        Assert.Null(await Policies.FindAsync(other.Key, "gold", Token));
        Assert.Equal(PolicyDeletion.Absent, await Policies.DeleteAsync(other.Key, "gold", Token));
        Assert.NotNull(await Policies.FindAsync(vault.Key, "gold", Token));
    }

    [Fact]
    public async Task A_policy_is_put_only_in_the_place_of_the_one_that_was_read()
    {
        var vault = await AddVaultAsync();
        var first = Policy(vault.Key, "Gold", 30);
        Assert.False(await Policies.TryPutAsync(first, new(first, 0), Token));
        Assert.True(await Policies.TryPutAsync(first, null, Token));
        var read = await Policies.FindInUseAsync(vault.Key, "gold", Token);

        Assert.False(await Policies.TryPutAsync(Policy(vault.Key, "Gold", 7), null, Token));
        var item = await AddItemAsync(vault, "a");
        Assert.True(await Items.TryUpdateAsync(item with { PolicyName = "GOLD" }, Token));
        Assert.False(await Policies.TryPutAsync(Policy(vault.Key, "Gold", 7), read, Token));
        Assert.True(await Policies.TryPutAsync(Policy(vault.Key, "Gold", 60), read! with { ProtectedItems = 1 }, Token));
        Assert.False(await Policies.TryPutAsync(Policy(vault.Key, "Gold", 7), read with { ProtectedItems = 1 }, Token));

        Assert.Equal(60, (int)(await Policies.FindAsync(vault.Key, "gold", Token))!.Properties["days"]!);
    }

    [Fact]
    public async Task An_item_comes_to_a_policy_only_while_it_is_the_one_that_was_judged()
    {
        var vault = await AddVaultAsync();
        var item = await AddItemAsync(vault, "a");
        await PutAsync(Policy(vault.Key, "Gold", 30));
        var judged = (await Policies.FindAsync(vault.Key, "gold", Token))!;
        Assert.Equal(PolicyDeletion.Deleted, await Policies.DeleteAsync(vault.Key, "gold", Token));
        Assert.False(await Items.TryUpdateAsync(item with { PolicyName = "gold" }, judged, Token));
        await PutAsync(Policy(vault.Key, "Gold", 7));
        Assert.False(await Items.TryUpdateAsync(item with { PolicyName = "gold" }, judged, Token));

        await PutAsync(judged);
        Assert.True(await Items.TryUpdateAsync(item with { PolicyName = "gold" }, judged, Token));
        Assert.False(await Items.TryUpdateAsync(item with { PolicyName = "gold" }, judged, Token));
    }

    [Fact]
    public async Task An_operation_is_found_through_its_own_vault_only()
    {
        var operations = Services.GetRequiredService<IOperationRepository>();
        var operation = new AsyncOperation
        {
            Id = Guid.NewGuid(),
            VaultKey = Guid.NewGuid(),
            Subject = "vm",
            JobId = Guid.NewGuid(),
            FollowsJob = true,
            StartedAt = Sample.Now,
            Result = new JsonObject { ["a"] = 1 },
        };
        await operations.AddAsync(operation, Token);

        var found = (await operations.FindAsync(operation.VaultKey, operation.Id, Token))!;

        Assert.Equal(operation with { Result = found.Result }, found);
        Assert.Equal(1, (int)found.Result!["a"]!);
        Assert.Null(await operations.FindAsync(Guid.NewGuid(), operation.Id, Token));
    }

    [Fact]
    public async Task What_a_vault_discovered_is_replaced_as_a_whole()
    {
        var discovered = Services.GetRequiredService<IDiscoveryRepository>();
        var (mine, theirs) = (Guid.NewGuid(), Guid.NewGuid());
        await discovered.ReplaceAsync(theirs, ["/VM/x"], Token);
        await discovered.ReplaceAsync(mine, ["/VM/a", "/vm/A", "/vm/b"], Token);
        Assert.Equal(["/vm/a", "/vm/b"], (await discovered.ListAsync(mine, Token)).Order());

        await discovered.ReplaceAsync(mine, ["/vm/c"], Token);

        Assert.Equal(["/vm/c"], await discovered.ListAsync(mine, Token));
        Assert.Equal(["/vm/x"], await discovered.ListAsync(theirs, Token));
    }

    private static BackupPolicy Policy(Guid vault, string name, int days) =>
        new(vault, name, new JsonObject { ["backupManagementType"] = "AzureIaasVM", ["days"] = days }, Sample.Now);
}
