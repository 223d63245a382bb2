using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Backup.FileRecovery;

/// <summary>What the recovery of files is made of.</summary>
public static class FileRecoveryRegistration
{
    public static IServiceCollection AddFileRecovery(this IServiceCollection services, FileRecoveryOptions options) => services
        .AddSingleton(options)
        .AddSingleton<PointHolds>()
        .AddSingleton<RecoveryTargets>()
        .AddSingleton<FileRecoveryMounts>()
        .AddHostedService(static services => services.GetRequiredService<FileRecoveryMounts>());
}
