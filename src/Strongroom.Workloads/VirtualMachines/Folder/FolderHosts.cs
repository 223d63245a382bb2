namespace Strongroom.Workloads.VirtualMachines.Folder;

/// <summary>A <c>Strongroom.Fabric/hosts</c> resource of kind <c>Folder</c>: each folder below its path is a virtual machine.</summary>
/// <param name="Id">ARM id of the host.</param>
/// <param name="SubscriptionId">Of the host, and so of its machines.</param>
/// <param name="ResourceGroup">Of the host, and so of its machines.</param>
/// <param name="Location">Of the host, and so of its machines.</param>
/// <param name="Path">Absolute path on this server.</param>
public sealed record FolderHost(string Id, string SubscriptionId, string ResourceGroup, string Location, string Path);

/// <summary>The door to the stored host resources; filled by the composition root.</summary>
/// <remarks>Thread-safe.</remarks>
public interface IFolderHosts
{
    /// <summary>All hosts of kind <c>Folder</c> in a subscription, in any order.</summary>
    Task<IReadOnlyList<FolderHost>> ListAsync(string subscriptionId, CancellationToken cancellationToken);
}
