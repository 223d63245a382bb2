using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Sqlite;

public sealed class DatabaseFileTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_connection_syncs_each_commit_to_a_write_ahead_log()
    {
        await using var database = await SqliteDatabase.NewAsync();
        var contexts = database.Services.GetRequiredService<IDbContextFactory<StrongroomContext>>();
        var held = new List<StrongroomContext>();
        try
        {
            // Held together, so that each has a connection of its own; the second round takes them from the pool.
            for (var n = 0; n < 8; n++)
            {
                if (n == 4)
                {
                    foreach (var db in held) await db.DisposeAsync();
                    held.Clear();
                }

                var context = await contexts.CreateDbContextAsync(Token);
                held.Add(context);
                await context.Database.OpenConnectionAsync(Token);
                Assert.Equal(2L, await PragmaAsync(context, "synchronous"));
                Assert.Equal("wal", await PragmaAsync(context, "journal_mode"));
                Assert.Equal(1L, await PragmaAsync(context, "foreign_keys"));
            }
        }
        finally
        {
            foreach (var db in held) await db.DisposeAsync();
        }
    }

    [Fact]
    public async Task The_migrations_are_the_model_and_run_once()
    {
        await using var database = await SqliteDatabase.NewAsync();
        await MetadataRegistration.MigrateAsync(database.Services, Token);
        await using var context = await database.Services.GetRequiredService<IDbContextFactory<StrongroomContext>>().CreateDbContextAsync(Token);

        Assert.False(context.Database.HasPendingModelChanges());
        Assert.Empty(await context.Database.GetPendingMigrationsAsync(Token));
        Assert.Equal(context.Database.GetMigrations(), await context.Database.GetAppliedMigrationsAsync(Token));
        Assert.Equal(1L, await ScalarAsync(context, "SELECT COUNT(*) FROM sqlite_master WHERE name = '__EFMigrationsHistory'"));
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_restart()
    {
        await using var database = await SqliteDatabase.NewAsync();
        var vault = Sample.Vault();
        Assert.True(await database.Services.GetRequiredService<IVaultRepository>().TryAddAsync(vault, DefaultPolicies.For(vault.Key, vault.CreatedAt), Token));
        SqliteConnection.ClearAllPools();

        await using var restarted = new ServiceCollection().AddStrongroomMetadata(database.File).BuildServiceProvider();
        await MetadataRegistration.MigrateAsync(restarted, Token);

        Assert.Equal(vault.Name, (await restarted.GetRequiredService<IVaultRepository>().FindAsync(vault.Key, Token))!.Name);
    }

    [Fact]
    public async Task The_database_itself_allows_one_live_job_for_each_item()
    {
        await using var database = await SqliteDatabase.NewAsync();
        await using var context = await database.Services.GetRequiredService<IDbContextFactory<StrongroomContext>>().CreateDbContextAsync(Token);
        var item = Guid.NewGuid();
        context.Jobs.AddRange(Row("Completed"), Row("Failed"), Row("InProgress"));
        await context.SaveChangesAsync(Token);
        context.Jobs.Add(Row("Cancelling"));

        var refused = await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(Token));
        Assert.IsType<SqliteException>(refused.InnerException);

        JobRow Row(string state) => new() { Id = Guid.NewGuid(), ItemKey = item, State = state, Document = "{}" };
    }

    private static Task<object?> PragmaAsync(DbContext context, string name) => ScalarAsync(context, $"PRAGMA {name}");

    private static async Task<object?> ScalarAsync(DbContext context, string sql)
    {
        await context.Database.OpenConnectionAsync(Token);
        await using var command = context.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // Only this file's own words are executed.
        command.CommandText = sql;
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(Token);
    }
}
