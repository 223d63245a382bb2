using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Strongroom.Testing;

namespace Strongroom.Arm.Tests.Http;

/// <summary>How many requests a caller has.</summary>
public sealed class RequestQuotaTests
{
    private const string Path = "/subscriptions/" + ArmHost.Subscription + "/things";
    private const string V = "?api-version=2024-04-01";
    private const string Reads = "x-ms-ratelimit-remaining-subscription-resource-requests";

    [Fact]
    public async Task Answers_tell_what_is_left_and_nothing_is_refused_without_a_limit()
    {
        await using ArmHost host = await StartAsync(null);
        Assert.Equal("11999", (await host.SendAsync("GET", Path + V)).Header(Reads));
        Assert.Equal("11998", (await host.SendAsync("GET", Path + V)).Header(Reads));
        // Another action has a count of its own.
        Assert.Equal("11999", (await host.SendAsync("PUT", Path + V)).Header("x-ms-ratelimit-remaining-subscription-writes"));
        Assert.Equal("11999", (await host.SendAsync("DELETE", Path + V)).Header("x-ms-ratelimit-remaining-subscription-deletes"));
    }

    [Fact]
    public async Task More_than_the_limit_is_refused_until_the_hour_is_over()
    {
        await using ArmHost host = await StartAsync(2);
        Assert.Equal("1", (await host.SendAsync("GET", Path + V)).Header(Reads));
        host.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal((200, "0"), ((await host.SendAsync("GET", Path + V)) is var last ? last.Status : 0, last.Header(Reads)));
        for (int n = 0; n < 3; n++)
        {
            Answer refused = await host.SendAsync("GET", Path + V);
            Assert.Equal((429, "ResourceRequestsThrottled", "3000"), (refused.Status, refused.Code, refused.Header("Retry-After")));
            Assert.Contains("'Test.Things/things/read'", refused.Message, StringComparison.Ordinal);
            Assert.Equal("gateway", refused.Header("x-ms-failure-cause"));
        }

        Assert.Equal(200, (await host.SendAsync("PUT", Path + V)).Status);
        host.Time.Advance(TimeSpan.FromMinutes(50));
        Assert.Equal("1", (await host.SendAsync("GET", Path + V)).Header(Reads));
    }

    [Fact]
    public async Task A_clock_that_is_set_back_begins_the_hour_anew()
    {
        await using ArmHost host = await StartAsync(1);
        Assert.Equal(200, (await host.SendAsync("GET", Path + V)).Status);
        Assert.Equal(429, (await host.SendAsync("GET", Path + V)).Status);
        host.Time.AdjustTime(host.Time.GetUtcNow().AddDays(-1));
        Assert.Equal(200, (await host.SendAsync("GET", Path + V)).Status);
    }

    private static Task<ArmHost> StartAsync(int? limit) => ArmHost.StartAsync(
        app =>
        {
            app.MapGet(Path, () => Results.Ok()).WithAction("Test.Things/things/read");
            app.MapPut(Path, () => Results.Ok()).WithAction("Test.Things/things/write");
            app.MapDelete(Path, () => Results.Ok()).WithAction("Test.Things/things/delete");
        },
        services => services.Replace(ServiceDescriptor.Singleton(new ArmOptions
        {
            TenantId = ArmHost.Tenant,
            Subscriptions = [new ArmSubscription(ArmHost.Subscription, "Home lab")],
            RequestsPerHour = limit,
        })));
}
