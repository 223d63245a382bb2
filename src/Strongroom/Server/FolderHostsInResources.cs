using Strongroom.Arm;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Server;

/// <summary>The hosts of kind Folder among the stored resources.</summary>
internal sealed class FolderHostsInResources(IResourceStore resources) : IFolderHosts
{
    public async Task<IReadOnlyList<FolderHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        var hosts = await resources.ListAsync(subscriptionId, null, "Strongroom.Fabric/hosts", cancellationToken);
        return [.. from host in hosts
                   where host.Properties.OptionalText("kind") == "Folder"
                   let path = host.Properties.OptionalText("path")
                   where path is not null
                   select new FolderHost(host.Id.ToString(), host.Id.SubscriptionId!, host.Id.ResourceGroup!, host.Location, path)];
    }
}
