using Microsoft.Extensions.DependencyInjection;
using Strongroom.Arm;

namespace Strongroom.Api.FileBrowsing;

/// <summary>Files of recovery points, listed and downloaded without mounting: our own provider. Needs <c>AddRecoveryServices</c> and an <c>IFileReader</c>.</summary>
public static class FileBrowsingModule
{
    public static IServiceCollection AddFileBrowsing(this IServiceCollection services) => services
        .AddSingleton<Backup.FileRecovery.Browsing.FileBrowsing>()
        .AddSingleton<IResourceProvider, FileBrowsingProvider>();
}
