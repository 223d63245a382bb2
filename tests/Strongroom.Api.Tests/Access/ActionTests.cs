using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Tests.RecoveryServices.Support;
using Strongroom.Arm;

namespace Strongroom.Api.Tests.Access;

/// <summary>Whatever is mapped says what it does, in the words of roles.</summary>
public sealed partial class ActionTests
{
    [Fact]
    public async Task Every_endpoint_names_one_action()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        RouteEndpoint[] endpoints = [.. host.Endpoints];
        Assert.Equal([], endpoints.Where(e => e.Metadata.GetOrderedMetadata<ArmAction>() is not [var action] || !Shape().IsMatch(action.Name)).Select(Describe));
        Assert.True(endpoints.Length > 60, $"Only {endpoints.Length} are mapped.");
    }

    [Fact]
    public async Task The_end_of_an_action_fits_its_method()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        List<string> faults = [];
        foreach (RouteEndpoint endpoint in host.Endpoints)
        {
            string name = endpoint.Metadata.GetMetadata<ArmAction>()!.Name;
            foreach (string method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods)
            {
                bool fits = method switch
                {
                    // Reading a blob is allowed to those who may have an account's keys, of which there are none here; reading a backup's files to those who may mount it.
                    "GET" or "HEAD" => name.EndsWith("/read", StringComparison.Ordinal) || name.EndsWith("/listKeys/action", StringComparison.Ordinal)
                        || name.EndsWith("/provisionInstantItemRecovery/action", StringComparison.Ordinal),
                    "PUT" or "PATCH" => name.EndsWith("/write", StringComparison.Ordinal),
                    "DELETE" => name.EndsWith("/delete", StringComparison.Ordinal),
                    // Some questions are asked by POST, and published as reads.
                    _ => name.EndsWith("/action", StringComparison.Ordinal) || name.EndsWith("/read", StringComparison.Ordinal),
                };
                if (!fits) faults.Add($"{method} {Describe(endpoint)}: {name}");
            }
        }
        Assert.Equal([], faults);
    }

    [Fact]
    public async Task Providers_tell_of_every_action_that_an_endpoint_names()
    {
        await using BackupHost host = await BackupHost.StartAsync();
        var told = host.Services.GetServices<IResourceProvider>().SelectMany(p => p.Operations).Select(o => o.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var named = host.Endpoints.Select(e => e.Metadata.GetMetadata<ArmAction>()!.Name);
        Assert.Equal("", string.Join('\n', named.Except(told, StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)));
    }

    private static string Describe(RouteEndpoint endpoint) => endpoint.RoutePattern.RawText + " " + string.Join(' ', endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods);

    [GeneratedRegex("^(Microsoft|Strongroom)\\.[A-Za-z]+(/[A-Za-z]+)*/(read|write|delete|action)$")]
    private static partial Regex Shape();
}
