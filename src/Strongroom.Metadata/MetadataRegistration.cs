using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;
using Strongroom.Metadata.Access;
using Strongroom.Metadata.Containers;
using Strongroom.Metadata.Discovery;
using Strongroom.Metadata.Items;
using Strongroom.Metadata.Jobs;
using Strongroom.Metadata.Operations;
using Strongroom.Metadata.Policies;
using Strongroom.Metadata.Resources;
using Strongroom.Metadata.Vaults;
using Strongroom.Metadata.Verification;

namespace Strongroom.Metadata;

public static class MetadataRegistration
{
    /// <summary>Registers the metadata stores on one SQLite file, which is made when it is missing.</summary>
    public static IServiceCollection AddStrongroomMetadata(this IServiceCollection services, string databaseFile)
    {
        var connection = new SqliteConnectionStringBuilder { DataSource = databaseFile, ForeignKeys = true, DefaultTimeout = 30 }.ToString();
        services.AddPooledDbContextFactory<StrongroomContext>(o => o.UseSqlite(connection));
        services.AddSingleton<IVaultRepository, VaultRepository>();
        services.AddSingleton<IPolicyRepository, PolicyRepository>();
        services.AddSingleton<IContainerRepository, ContainerRepository>();
        services.AddSingleton<IItemRepository, ItemRepository>();
        services.AddSingleton<IRecoveryPointRepository, RecoveryPointRepository>();
        services.AddSingleton<IPointVerificationRepository, PointVerificationRepository>();
        services.AddSingleton<ICatalogueWriter, CatalogueWriter>();
        services.AddSingleton<IItemAgenda, ItemAgenda>();
        services.AddSingleton<IJobLedger, JobLedger>();
        services.AddSingleton<IOperationRepository, OperationRepository>();
        services.AddSingleton<IDiscoveryRepository, DiscoveryRepository>();
        services.AddSingleton<IResourceStore, ResourceStore>();
        services.AddSingleton<IRoleAssignmentStore, RoleAssignmentStore>();
        services.AddSingleton<IActivityLog, ActivityLog>();
        return services;
    }

    /// <summary>Whether the database has this version's shape; for those who use it beside a server.</summary>
    public static async Task<bool> IsCurrentAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<StrongroomContext>>().CreateDbContextAsync(cancellationToken);
        return !(await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any();
    }

    /// <summary>Brings the database to this version's shape; run before anything else touches it.</summary>
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<StrongroomContext>>().CreateDbContextAsync(cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
        // WAL lets readers go on while a job writes. SQLite syncs each commit (synchronous=FULL is its default), on which the ledger relies.
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL;", cancellationToken);
    }
}
