using Microsoft.Data.Sqlite;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>Lists of ten thousand entries: page after page, each entry once.</summary>
public sealed class LongListTests
{
    private const int Copies = 9_999;

    [Fact]
    public async Task Ten_thousand_entries_come_in_pages_each_once()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        ProtectedMachine web = await ProtectedMachine.ProtectAsync(host);
        await web.BackUpAsync();
        Assert.Equal(200, (await host.PutAsync($"{web.Vault}/backupFabrics/Azure/backupProtectionIntent/vm;{web.NativeName}", $$$"""
            {"properties":{"protectionIntentItemType":"AzureResourceItem","sourceResourceId":"{{{web.Machine.ResourceId}}}","policyId":"{{{web.Vault}}}/backupPolicies/DefaultPolicy"}}
            """)).Status);
        int jobs = (await host.GetAsync(web.Vault + "/backupJobs")).Value.Count;
        await MultiplyAsync(host.DatabaseFile);

        Assert.Equal(Copies + 1, await CountAsync(host, web.Vault + "/backupProtectedItems?$filter=backupManagementType eq 'AzureIaasVM'"));
        Assert.Equal(Copies + 1, await CountAsync(host, web.Vault + "/backupProtectionContainers?$filter=backupManagementType eq 'AzureIaasVM'"));
        Assert.Equal(Copies + 1, await CountAsync(host, web.Vault + "/backupProtectionIntents"));
        Assert.Equal(Copies + 1, await CountAsync(host, web.Item + "/recoveryPoints"));
        Assert.Equal(Copies + jobs, await CountAsync(host, web.Vault + "/backupJobs"));
    }

    private static async Task<int> CountAsync(BackupHost host, string path)
    {
        HashSet<string> names = [];
        Answer page = await host.GetAsync(path);
        while (true)
        {
            Assert.Equal(200, page.Status);
            Assert.All(page.Value, entry => Assert.True(names.Add((string)entry!["name"]!), $"'{entry["name"]}' comes twice."));
            if ((string?)page.Body!["nextLink"] is not { } next) return names.Count;
            page = await host.FollowAsync(next);
        }
    }

    /// <summary>Copies the item, its recovery point and one of its jobs, all in one moment, with other names.</summary>
    private static async Task MultiplyAsync(string file)
    {
        await using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"""
            CREATE TEMP TABLE Numbers AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {Copies})
                SELECT n, printf('%08X-0000-4000-8000-000000000000', n) AS id, printf('%018d', n) AS name FROM c;
            INSERT INTO Points (ItemKey, Name, Time, SnapshotId, Document)
                SELECT p.ItemKey, x.name, p.Time, x.id, json_set(p.Document, '$.Name', x.name, '$.SnapshotId', x.id) FROM Points p, Numbers x;
            INSERT INTO Jobs (Id, VaultKey, ItemKey, State, StartedAt, Fence, Attempt, Document)
                SELECT x.id, j.VaultKey, j.ItemKey, j.State, j.StartedAt, j.Fence, j.Attempt, json_set(j.Document, '$.Id', x.id)
                FROM (SELECT * FROM Jobs WHERE State = 'Completed' LIMIT 1) j, Numbers x;
            INSERT INTO Items (Key, VaultKey, NativeName, SourceKey, PolicyKey, Version, CreatedAt, DueAt, Document)
                SELECT x.id, i.VaultKey, i.NativeName || x.n, i.SourceKey || x.n, i.PolicyKey, i.Version, i.CreatedAt, i.DueAt,
                    json_set(i.Document, '$.Key', x.id, '$.NativeName', i.NativeName || x.n, '$.FriendlyName', 'web' || x.n, '$.SourceResourceId', i.SourceKey || x.n)
                FROM Items i, Numbers x;
            """;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
