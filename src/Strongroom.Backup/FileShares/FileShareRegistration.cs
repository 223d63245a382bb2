using Microsoft.Extensions.DependencyInjection;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.FileShares;

/// <summary>Registers what protects file shares. An <see cref="IFileShareFabric"/> must be there.</summary>
public static class FileShareRegistration
{
    public static IServiceCollection AddFileShareProtection(this IServiceCollection services) => services
        .AddSingleton<ContainerRegistration>()
        .AddSingleton<IItemSource, ShareSource>()
        .AddSingleton<IJobHandler, ShareBackupHandler>()
        .AddSingleton<IJobHandler, ShareRestoreHandler>();
}
