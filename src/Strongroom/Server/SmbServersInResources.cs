using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Workloads.FileShares.Smb;

namespace Strongroom.Server;

/// <summary>The file servers of kind Smb among the stored resources, as far as the operator still allows them.</summary>
internal sealed class SmbServersInResources(IResourceStore resources, AllowedSmbServers allowed, HostCredentials credentials) : ISmbFileServers
{
    public async Task<IReadOnlyList<SmbFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        var servers = await resources.ListAsync(subscriptionId, null, "Strongroom.Fabric/fileServers", cancellationToken);
        return [.. servers.Where(server => server.Properties.OptionalText("kind") == "Smb").Select(Read).Where(server => allowed.Allows(server.Host))];
    }

    public SmbLogin? FindLogin(string name, string host) =>
        credentials.Find(name) is { } login && login.Uri == AllowedSmbServers.UriOf(host) ? new(login.UserName, login.Password) : null;

    private static SmbFileServer Read(TrackedResource server)
    {
        IEnumerable<JsonNode?> shares = server.Properties.OptionalArray("shares") ?? [];
        return new(
            server.Id.SubscriptionId!, server.Id.ResourceGroup!, server.Id.Name, server.Location, server.Properties.RequiredText("server"), server.Properties.RequiredText("credentials"),
            [.. shares.OfType<JsonObject>().Select(share => new SmbShare(share.RequiredText("name"), share.RequiredText("nameOnServer")))]);
    }
}
