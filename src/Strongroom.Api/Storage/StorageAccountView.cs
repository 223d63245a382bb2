using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Storage;

/// <summary>Storage accounts as clients see them: those of blobs and the file servers.</summary>
internal sealed class StorageAccountView(IResourceStore store, FileServerAccounts fileServers)
{
    /// <summary>The accounts of a subscription, or of one group of it.</summary>
    public async Task<IReadOnlyList<ShownAccount>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
    [
        .. (await store.ListAsync(subscriptionId, resourceGroup, StorageAccounts.Type, cancellationToken)).Select(static a => new ShownAccount(a, false)),
        .. (await fileServers.ListAsync(subscriptionId, resourceGroup, cancellationToken)).Select(static a => new ShownAccount(a, true)),
    ];

    /// <summary>One of them.</summary>
    /// <exception cref="ArmException">404.</exception>
    public async Task<ShownAccount> GetAsync(ResourceId id, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(id, cancellationToken) is { } account) return new ShownAccount(account, false);
        return await fileServers.FindAsync(id, cancellationToken) is { } server ? new ShownAccount(server, true) : throw ArmErrors.ResourceNotFound(id);
    }
}

/// <summary>A storage account, and whether it has shares or blobs.</summary>
internal readonly record struct ShownAccount(TrackedResource Account, bool IsFileServer)
{
    public string Id => Account.Id.ToString();

    public JsonObject ToJson(HttpRequest request)
    {
        var properties = (JsonObject)Account.Properties.DeepClone();
        // Clients show the file endpoint; shares are served by the file server itself and not by this one.
        properties["primaryEndpoints"] = IsFileServer
            ? new JsonObject { ["file"] = PublicUrl.For(request, $"/files/{Account.Id.Name}/") }
            : new JsonObject { ["blob"] = PublicUrl.For(request, $"/storage/{Account.Id.Name}/") };
        properties["supportsHttpsTrafficOnly"] = true;
        properties["allowSharedKeyAccess"] = false;
        properties["allowBlobPublicAccess"] = false;
        return TrackedResources.ToJson(Account, properties);
    }
}
