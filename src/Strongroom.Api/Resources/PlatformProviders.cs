using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Strongroom.Api.Compute;
using Strongroom.Api.Fabric;
using Strongroom.Api.Network;
using Strongroom.Api.Storage;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Machines;

namespace Strongroom.Api.Resources;

/// <summary>The providers around backup: Microsoft.Resources, Microsoft.Compute, Microsoft.Network, Microsoft.Storage and Strongroom.Fabric.</summary>
public static class PlatformProviders
{
    private static readonly TimeSpan s_hostLimit = TimeSpan.FromSeconds(5);

    /// <summary>Registers them. They need <see cref="ArmOptions"/>, <see cref="IResourceStore"/>, TimeProvider, and the doors of Strongroom.Backup.Machines and .FileShares.</summary>
    public static IServiceCollection AddPlatformProviders(this IServiceCollection services)
    {
        services.AddSingleton<TrackedResources>();
        services.AddSingleton<ResourceGroups>();
        services.AddSingleton<StorageAccountNames>();
        services.AddSingleton<FileServerAccounts>();
        services.AddSingleton<StorageAccounts>();
        services.AddSingleton<StorageAccountView>();
        services.AddSingleton<Hosts>();
        services.AddSingleton(sp => new HostStates(sp.GetServices<IHostProbe>(), sp.GetRequiredService<Hosts>(), sp.GetRequiredService<ILogger<HostStates>>(), s_hostLimit));
        services.AddSingleton(sp => new HostView(sp.GetRequiredService<IMachineFabric>(), sp.GetRequiredService<HostStates>(), 2 * s_hostLimit));
        services.TryAddSingleton(new BoundedCalls(BoundedCalls.UsualLimit));
        services.AddSingleton<FileServers>();
        services.AddSingleton(sp => new FileServerView(sp.GetRequiredService<IFileShareFabric>(), sp.GetRequiredService<FileServers>(), s_hostLimit));
        services.AddSingleton<VirtualNetworks>();
        services.AddSingleton<IResourceProvider, ResourcesProvider>();
        services.AddSingleton<IResourceProvider, ComputeProvider>();
        services.AddSingleton<IResourceProvider, NetworkProvider>();
        services.AddSingleton<IResourceProvider, StorageProvider>();
        services.AddSingleton<IResourceProvider, FabricProvider>();
        return services;
    }

    /// <summary>Maps all their endpoints.</summary>
    public static void MapPlatformProviders(this IEndpointRouteBuilder routes)
    {
        routes.MapSubscriptions();
        routes.MapResourceGroups();
        routes.MapResourceLists();
        routes.MapProviders();
        routes.MapVirtualMachines();
        routes.MapDisks();
        routes.MapStorageAccounts();
        routes.MapShares();
        routes.MapHosts();
        routes.MapFileServers();
        routes.MapVirtualNetworks();
        routes.MapNetworkInterfaces();
    }
}
