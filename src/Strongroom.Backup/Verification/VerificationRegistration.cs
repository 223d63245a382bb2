using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.Verification;

/// <summary>What the verification of recovery points is made of, besides the <see cref="IMachineVerifier"/>s.</summary>
public static class VerificationRegistration
{
    /// <summary>Registered after the worker of all other jobs: that one takes over what a dead process has left.</summary>
    public static IServiceCollection AddRestoreVerification(this IServiceCollection services) => services
        .AddSingleton<VerificationSchedule>()
        .AddSingleton<PolicyVerification>()
        .AddSingleton<IJobHandler, VerificationHandler>()
        .AddSingleton<IHostedService>(static services => ActivatorUtilities.CreateInstance<JobWorker>(
            services, new JobSignal(), new JobWorkerOptions { RunsBeside = true, MaxConcurrentJobs = 1 }));
}
