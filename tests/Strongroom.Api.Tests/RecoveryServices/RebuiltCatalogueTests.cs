using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.Vaults;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

public sealed class RebuiltCatalogueTests
{
    [Fact]
    public async Task What_was_lost_from_the_database_is_listed_and_restored_as_before()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        ProtectedMachine machine = await ProtectedMachine.ProtectAsync(host);
        await machine.BackUpAsync();
        string newest = await machine.BackUpAsync();
        Answer before = await host.GetAsync(machine.Item + "/recoveryPoints");
        Answer item = await host.GetAsync(machine.Item);
        IVaultRepository vaults = host.Services.GetRequiredService<IVaultRepository>();
        Guid key = Assert.Single(await vaults.ListKeysAsync(TestContext.Current.CancellationToken));

        await LoseAllRowsAsync(host.DatabaseFile);
        Assert.Equal(404, (await host.GetAsync(machine.Item + "/recoveryPoints")).Status);

        var store = await host.Services.GetRequiredService<IVaultStores>().OpenAsync(key, TestContext.Current.CancellationToken);
        await ActivatorUtilities.CreateInstance<CatalogueRebuild>(host.Services).RunAsync(store, null, ArmHost.Subscription, TestContext.Current.CancellationToken);

        Assert.Equal(before.Body!.ToJsonString(), (await host.GetAsync(machine.Item + "/recoveryPoints")).Body!.ToJsonString());
        Answer found = await host.GetAsync(machine.Item);
        Assert.Equal((string?)item.Body!["properties"]!["protectionState"], (string?)found.Body!["properties"]!["protectionState"]);
        Assert.Equal((string?)item.Body["properties"]!["protectedItemDataId"], (string?)found.Body["properties"]!["protectedItemDataId"]);
        Assert.Equal(200, (await host.GetAsync(BackupHost.Vault)).Status);

        // The account is a resource of its own, which the vault knows nothing of.
        Assert.InRange((await host.PutAsync(machine.Account, """{"location":"home","sku":{"name":"Standard_LRS"},"kind":"StorageV2","properties":{}}""", "2023-01-01")).Status, 200, 202);
        Answer accepted = await host.PostAsync($"{machine.Item}/recoveryPoints/{newest}/restore", machine.RestoreBody(newest));
        Assert.Equal(202, accepted.Status);
        JsonNode job = await host.WaitAsync(machine.Vault, await machine.JobOfAsync(accepted));
        Assert.Equal("Completed", (string?)job["properties"]!["status"]);

        // The next backup goes on from the newest point.
        await machine.BackUpAsync();
        Assert.Equal(3, (await host.GetAsync(machine.Item + "/recoveryPoints")).Value.Count);
    }

    [Fact]
    public async Task A_storage_that_the_server_does_not_have_is_an_error_of_the_caller()
    {
        await using BackupHost host = await BackupHost.StartAsync();

        Answer answer = await host.PutAsync(BackupHost.Vault, """{"location":"home","tags":{"strongroom-storage":"offsite"},"sku":{"name":"RS0"},"properties":{}}""");

        Assert.Equal(400, answer.Status);
        Assert.Contains("offsite", answer.Body!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(404, (await host.GetAsync(BackupHost.Vault)).Status);
    }

    private static async Task LoseAllRowsAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file}");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "DELETE FROM Points; DELETE FROM Items; DELETE FROM Policies; DELETE FROM Vaults; DELETE FROM Jobs; DELETE FROM Operations; DELETE FROM Groups;";
        Assert.True(await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken) > 5);
    }
}
