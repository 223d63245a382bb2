using Microsoft.AspNetCore.Routing;
using Strongroom.Api.Tests.Support;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.BadInput;

public sealed class BadInputTests
{
    [Fact]
    public async Task No_endpoint_answers_bad_input_with_500_or_without_Resource_Managers_shape()
    {
        await using PlatformHost host = await PlatformHost.StartAsync();
        List<string> faults = [];
        int count = 0;
        foreach (Probe probe in host.Endpoints.SelectMany(endpoint => EndpointProbe.For(endpoint, Name)))
        {
            count++;
            Answer answer = await host.SendRawAsync(probe.Method, probe.Path, probe.Body, probe.ContentType);
            if (answer.Status >= 500) faults.Add($"{probe}: {answer.Status}");
            // Kestrel itself refuses some paths before anything of ours runs; its 400 has no body.
            bool isShaped = answer is { Code: not null, Message.Length: > 0 } || probe.Method == "HEAD" || answer is { Status: 400, Body: null };
            if (answer.Status >= 400 && !isShaped) faults.Add($"{probe}: {answer.Status} without an error");
        }
        Assert.Equal([], faults);
        Assert.True(count > 1000, $"Only {count} probes were made: the endpoints were not found.");
        Assert.Empty(host.Log.Lines);
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{\"properties\":{", 400)]
    [InlineData("[]", 400)]
    public async Task A_write_that_is_refused_writes_nothing(string body, int status)
    {
        await using PlatformHost host = await PlatformHost.StartAsync();
        foreach (RouteEndpoint endpoint in host.Endpoints.Where(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("PUT") == true))
        {
            Probe probe = EndpointProbe.For(endpoint, Name).First(p => p is { What: "empty object", Method: "PUT" });
            Assert.Equal(status, (await host.SendRawAsync("PUT", probe.Path, body, "application/json")).Status);
        }
        Assert.Empty(await host.Store.ListAsync(ArmHost.Subscription, null, null, default));
        Assert.Single(await host.Store.ListGroupsAsync(ArmHost.Subscription, default));
    }

    private static string Name(string parameter) => parameter switch
    {
        "subscriptionId" => ArmHost.Subscription,
        "resourceGroupName" => "lab",
        "providerNamespace" => "Microsoft.RecoveryServices",
        _ => "name1",
    };
}
