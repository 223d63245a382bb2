using System.Text.Json.Nodes;
using Strongroom.Api.Fabric;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Storage;

/// <summary>File servers as the storage accounts that clients see. Nothing of them is stored here: they come and go with their servers.</summary>
public sealed class FileServerAccounts(IResourceStore store)
{
    /// <summary>The accounts of a subscription's file servers, or of one group's.</summary>
    public async Task<IEnumerable<TrackedResource>> ListAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        (await store.ListAsync(subscriptionId, resourceGroup, FileServers.Type, cancellationToken)).Select(Of);

    /// <summary>The account of a file server, or null.</summary>
    public async Task<TrackedResource?> FindAsync(ResourceId account, CancellationToken cancellationToken) =>
        await store.GetAsync(ServerOf(account), cancellationToken) is { } server ? Of(server) : null;

    /// <summary>Refuses to change an account that is a file server.</summary>
    /// <exception cref="ArmException">409.</exception>
    public async Task RequireNoneAsync(ResourceId account, CancellationToken cancellationToken)
    {
        if (await store.GetAsync(ServerOf(account), cancellationToken) is { } server) throw NotHere(server.Id);
    }

    internal static ArmException NotHere(ResourceId server) => ArmErrors.Custom(409, "OperationNotAllowed",
        $"The storage account '{server.Name}' is a file server: change or delete it as {server}.");

    private static ResourceId ServerOf(ResourceId account) =>
        ResourceId.ForResource(account.SubscriptionId!, account.ResourceGroup!, "Strongroom.Fabric", "fileServers", account.Name);

    private static TrackedResource Of(TrackedResource server) => server with
    {
        Id = ResourceId.ForResource(server.Id.SubscriptionId!, server.Id.ResourceGroup!, "Microsoft.Storage", "storageAccounts", server.Id.Name),
        // Shares and no blobs.
        Kind = "FileStorage",
        Sku = new JsonObject { ["name"] = "Premium_LRS", ["tier"] = "Premium" },
        Properties = new JsonObject
        {
            ["provisioningState"] = "Succeeded",
            ["creationTime"] = TrackedResources.Time(server.CreatedAt),
            ["primaryLocation"] = server.Location,
            ["statusOfPrimary"] = "available",
        },
    };
}
