using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Strongroom.Backup.Lifecycle;

/// <summary>Lets time do its work while the server runs: a pass over the items every so often, and once a day what is old of the history goes.</summary>
public sealed class LifecycleService(ItemLifecycle lifecycle, IItemAgenda agenda, LifecycleOptions options, TimeProvider time, ILogger<LifecycleService> log) : BackgroundService
{
    private DateTimeOffset _forgetAt = DateTimeOffset.MinValue;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not on the thread that starts the server.
        await Task.Yield();
        using var timer = new PeriodicTimer(options.Every, options.Ticks ?? time);
        try
        {
            do
            {
                try { await RunAsync(stoppingToken); }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogError(e, "What is due cannot be done now; it is tried again");
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await lifecycle.RunOnceAsync(cancellationToken);
        var now = time.GetUtcNow();
        if (now < _forgetAt) return;
        await agenda.ForgetHistoryAsync(now.AddDays(-options.JobDays), now.AddDays(-options.OperationDays), cancellationToken);
        _forgetAt = now.AddDays(1);
    }
}
