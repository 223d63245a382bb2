using Strongroom.Backup;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.Vaults;
using Strongroom.Hosting;
using Strongroom.Metadata;
using Strongroom.Server;
using Strongroom.Store;
using Strongroom.Store.Locations;

namespace Strongroom.Cli.Store;

/// <summary>A stopped server's database. In a class of its own, so that no other verb loads what a database needs.</summary>
internal static class CatalogueOfServer
{
    /// <exception cref="StoreException">Conflict: the catalogue has something else under the same name.</exception>
    public static async Task<RebuildReport> RebuildAsync(VaultStore vault, string location, DataFolder folder, TimeProvider time, CancellationToken cancellationToken)
    {
        var administrator = Administrator.Read(folder.AdministratorFile);
        await using var services = new ServiceCollection()
            .AddStrongroomMetadata(folder.DatabaseFile)
            .AddSingleton(time)
            .AddSingleton<CatalogueRebuild>()
            .BuildServiceProvider();
        await MetadataRegistration.MigrateAsync(services, cancellationToken);
        try
        {
            return await services.GetRequiredService<CatalogueRebuild>().RunAsync(vault, StorageOf(location, folder), administrator.SubscriptionId.ToString(), cancellationToken);
        }
        catch (BackupRefusedException refused)
        {
            throw new StoreException(StoreErrorKind.Conflict, refused.Message, refused);
        }
    }

    /// <summary>Null for a store in the data folder itself, which may be moved with all that is in it.</summary>
    private static VaultStorage? StorageOf(string location, DataFolder folder)
    {
        var place = NamedStorage.ParseLocation(location);
        return place is FolderLocation { Path: var path } && Path.GetDirectoryName(path.TrimEnd('/')) == folder.VaultsFolder ? null : new(null, place.ToString()!);
    }
}
