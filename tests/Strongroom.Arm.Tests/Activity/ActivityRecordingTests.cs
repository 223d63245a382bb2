using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Testing;

namespace Strongroom.Arm.Tests.Activity;

/// <summary>A log that cannot be written to, as on a full disk.</summary>
public sealed class ActivityRecordingTests
{
    [Fact]
    public async Task An_error_is_told_when_it_cannot_be_written_down()
    {
        await using ArmHost host = await StartAsync(() => throw ArmErrors.Custom(409, "ThingIsBusy", "The thing is busy."));
        Answer answer = await host.SendAsync("PUT", "/providers/Test.Things/things/a?api-version=2024-04-01", "{}");
        Assert.Equal(409, answer.Status);
        Assert.Equal("ThingIsBusy", (string?)answer.Body!["error"]!["code"]);
        Assert.Contains(host.Log.Lines, line => line.Contains("No space left", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_change_that_cannot_be_written_down_is_not_told_as_done()
    {
        await using ArmHost host = await StartAsync(() => Results.Ok());
        Answer answer = await host.SendAsync("PUT", "/providers/Test.Things/things/a?api-version=2024-04-01", "{}");
        Assert.Equal(500, answer.Status);
    }

    private static Task<ArmHost> StartAsync(Func<IResult> handler) => ArmHost.StartAsync(
        app => app.MapPut("/providers/Test.Things/things/{name}", handler).WithAction("Test.Things/things/write"),
        services => services.AddSingleton<IActivityLog, FullLog>(),
        app => app.Use((context, next) =>
        {
            context.User = new(new ClaimsIdentity([new("oid", Guid.NewGuid().ToString())], "test"));
            return next(context);
        }));

    private sealed class FullLog : IActivityLog
    {
        public Task AppendAsync(ActivityEvent activity, CancellationToken cancellationToken) => throw new IOException("No space left on device");

        public Task<IReadOnlyList<(long Number, ActivityEvent Activity)>> ListAsync(ActivityQuery query, long? before, int count, CancellationToken cancellationToken) =>
            throw new IOException("No space left on device");

        public Task<int> PruneAsync(DateTimeOffset now, CancellationToken cancellationToken) => throw new IOException("No space left on device");
    }
}
