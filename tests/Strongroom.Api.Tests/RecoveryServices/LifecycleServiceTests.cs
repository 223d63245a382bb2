using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Backup.Lifecycle;

namespace Strongroom.Api.Tests.RecoveryServices;

/// <summary>The service that lets time do its work, in a server that is asked over HTTP.</summary>
public sealed class LifecycleServiceTests
{
    [Fact]
    public async Task Backups_are_made_and_points_expire_while_the_server_runs_and_nobody_asks()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        ProtectedMachine web1 = await ProtectedMachine.ProtectAsync(host);
        var options = new LifecycleOptions();
        using var pruning = ActivatorUtilities.CreateInstance<ItemLifecycle>(host.Services, options, ActivatorUtilities.CreateInstance<PointPruning>(host.Services));
        using LifecycleService service = ActivatorUtilities.CreateInstance<LifecycleService>(host.Services, pruning, options);
        await service.StartAsync(TestContext.Current.CancellationToken);

        string first = (string)(await PassAsync(1, TimeSpan.FromDays(1)))[0]!["name"]!;
        await PassAsync(2, TimeSpan.FromDays(1));
        // The policy that every vault has keeps a point for thirty days; what was missed meanwhile is made up for once.
        JsonArray left = await PassAsync(2, TimeSpan.FromDays(29), first);
        Assert.DoesNotContain(left, point => (string?)point!["name"] == first);
        await service.StopAsync(TestContext.Current.CancellationToken);

        async Task<JsonArray> PassAsync(int count, TimeSpan time, string? gone = null)
        {
            host.Time.Advance(time);
            DateTime limit = DateTime.UtcNow.AddSeconds(60);
            while (true)
            {
                JsonArray points = (await host.GetAsync(web1.Item + "/recoveryPoints")).Value;
                if (points.Count == count && points.All(point => (string?)point!["name"] != gone)) return points;
                Assert.True(DateTime.UtcNow < limit, "Nothing came of it: " + points.ToJsonString());
                await Task.Delay(20, TestContext.Current.CancellationToken);
                // The service may only now have come to wait.
                host.Time.Advance(options.Every);
            }
        }
    }
}
