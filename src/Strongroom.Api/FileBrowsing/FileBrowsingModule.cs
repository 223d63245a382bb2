using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;
using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Api.FileBrowsing;

/// <summary>Files of recovery points, listed and downloaded without mounting: our own provider. Needs <c>AddRecoveryServices</c> and an <c>IFileReader</c>.</summary>
public static class FileBrowsingModule
{
    public static IServiceCollection AddFileBrowsing(this IServiceCollection services) => services
        .AddSingleton<PointFileBrowser>()
        .AddSingleton<IResourceProvider, FileBrowsingProvider>();
}
