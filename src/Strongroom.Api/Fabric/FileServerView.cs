using System.Text.Json.Nodes;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;

namespace Strongroom.Api.Fabric;

/// <summary>A file server as it is shown: what was stored, how many shares it has now and whether they can be listed. One that hangs holds nobody up.</summary>
/// <param name="limit">How long a file server has to answer.</param>
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
        // Real time, never a tester's: disks know no other. What is asked for too long is given up, as far as it heeds that.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            return await AskAsync(server, stop.Token).WaitAsync(limit, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException)
        {
            return (null, "The file server does not answer.");
        }
        catch (ShareException failure)
        {
            return (null, failure.Message);
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    private async Task<(int? ShareCount, string? Problem)> AskAsync(TrackedResource server, CancellationToken cancellationToken)
    {
        if (await servers.FindRefusalAsync(server, cancellationToken) is { } refusal) return (null, refusal);
        ResourceId id = server.Id;
        return await fabric.FindAccountAsync(id.SubscriptionId!, id.ResourceGroup!, id.Name, cancellationToken) is { } account
            ? ((await fabric.ListSharesAsync(account, cancellationToken)).Count, null)
            : (null, "The file server is not there any more.");
    }
}
