using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;

namespace Strongroom.Api.Fabric;

/// <summary>A file server as it is shown: what was stored, how many shares it has now and whether they can be listed. One that hangs holds nobody up.</summary>
/// <param name="limit">How long a file server has to name its shares.</param>
public sealed class FileServerView(IFileShareFabric fabric, FileServers servers, TimeSpan limit)
{
    /// <summary>One file server.</summary>
    public async Task<JsonObject> ShowAsync(TrackedResource server, CancellationToken cancellationToken)
    {
        var properties = (JsonObject)server.Properties.DeepClone();
        (int? shareCount, string? problem) = await LookAsync(server, cancellationToken);
        properties["state"] = problem is null ? "Connected" : "Unreachable";
        if (problem is not null) properties["stateMessage"] = problem;
        if (shareCount is { } count) properties["shareCount"] = count;
        return TrackedResources.ToJson(server, properties);
    }

    private async Task<(int? ShareCount, string? Problem)> LookAsync(TrackedResource server, CancellationToken cancellationToken)
    {
        try
        {
            if (servers.FindRefusal(server) is { } refusal) return (null, refusal);
            ResourceId id = server.Id;
            if (await fabric.FindAccountAsync(id.SubscriptionId!, id.ResourceGroup!, id.Name, cancellationToken) is not { } account) return (null, "The file server is not there any more.");
            // Real time, never a tester's: disks know no other.
            return ((await fabric.ListSharesAsync(account, cancellationToken).WaitAsync(limit, TimeProvider.System, cancellationToken)).Count, null);
        }
        catch (TimeoutException)
        {
            return (null, "The file server does not answer.");
        }
        catch (ShareException failure)
        {
            return (null, failure.Message);
        }
    }
}
