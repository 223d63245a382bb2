using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Metadata.Tests.Support;

/// <summary>A database of its own for each test.</summary>
public interface ITestDatabase : IAsyncDisposable
{
    IServiceProvider Services { get; }
}

/// <summary>What every kind of database must do; a kind of database derives one class from each suite.</summary>
public abstract class DatabaseSuite : IAsyncLifetime
{
    private ITestDatabase? _database;

    protected IServiceProvider Services => _database!.Services;

    protected IVaultRepository Vaults => Services.GetRequiredService<IVaultRepository>();
    protected IPolicyRepository Policies => Services.GetRequiredService<IPolicyRepository>();
    protected IItemRepository Items => Services.GetRequiredService<IItemRepository>();
    protected IRecoveryPointRepository Points => Services.GetRequiredService<IRecoveryPointRepository>();
    protected IJobLedger Ledger => Services.GetRequiredService<IJobLedger>();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract Task<ITestDatabase> OpenAsync();

    public async ValueTask InitializeAsync() => _database = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        if (_database is not null) await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs the same thing many times at once.</summary>
    protected static Task<T[]> AtOnceAsync<T>(int count, Func<int, Task<T>> action) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(n => Task.Run(() => action(n))));

    protected async Task<Vault> AddVaultAsync(string name = "vault1", bool hasPolicies = true)
    {
        var vault = Sample.Vault(name);
        Assert.True(await Vaults.TryAddAsync(vault, hasPolicies ? DefaultPolicies.For(vault.Key, vault.CreatedAt) : [], Token));
        return vault;
    }

    /// <summary>Puts a policy whatever is there; beside others who do, it is tried until it is in its place.</summary>
    protected async Task PutAsync(BackupPolicy policy)
    {
        while (!await Policies.TryPutAsync(policy, await Policies.FindInUseAsync(policy.VaultKey, policy.Name, Token), Token)) { }
    }

    protected async Task<ProtectedItem> AddItemAsync(Vault vault, string machine = "web1")
    {
        var item = Sample.Item(vault, machine);
        Assert.True(await Items.TryAddAsync(item, Token));
        return item;
    }
}

/// <summary>A SQLite file in a temporary folder.</summary>
public sealed class SqliteDatabase : ITestDatabase
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("metadata-test-");
    private readonly ServiceProvider _services;

    private SqliteDatabase()
    {
        File = Path.Combine(_folder.FullName, "strongroom.db");
        _services = new ServiceCollection().AddStrongroomMetadata(File).ConfigureDbContext<StrongroomContext>(o => o.AddInterceptors(Commands)).BuildServiceProvider();
    }

    internal CommandCounter Commands { get; } = new();

    public string File { get; }

    public IServiceProvider Services => _services;

    public static async Task<ITestDatabase> CreateAsync() => await NewAsync();

    public static async Task<SqliteDatabase> NewAsync()
    {
        var database = new SqliteDatabase();
        await MetadataRegistration.MigrateAsync(database.Services, CancellationToken.None);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        _folder.Delete(true);
    }
}
