using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Workloads.FileShares;

namespace Strongroom.Server;

/// <summary>The file servers of kind Local among the stored resources.</summary>
internal sealed class FileServersInResources(IResourceStore resources) : ILocalFileServers
{
    public async Task<IReadOnlyList<LocalFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        var servers = await resources.ListAsync(subscriptionId, null, "Strongroom.Fabric/fileServers", cancellationToken);
        return [.. servers.Where(server => server.Properties.OptionalText("kind") == "Local").Select(Read)];
    }

    private static LocalFileServer Read(TrackedResource server)
    {
        IEnumerable<JsonNode?> shares = server.Properties.OptionalArray("shares") ?? [];
        return new(
            server.Id.SubscriptionId!, server.Id.ResourceGroup!, server.Id.Name, server.Location,
            [.. shares.OfType<JsonObject>().Select(share => new LocalShare(share.RequiredText("name"), share.RequiredText("path")))],
            server.Properties.OptionalText("sharesRoot"));
    }
}
