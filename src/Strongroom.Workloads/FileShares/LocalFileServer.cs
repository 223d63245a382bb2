namespace Strongroom.Workloads.FileShares;

/// <summary>A <c>Strongroom.Fabric/fileServers</c> resource of kind <c>Local</c>: its shares are folders of this server.</summary>
/// <param name="SubscriptionId">In lower case.</param>
/// <param name="ResourceGroup">In its owner's spelling.</param>
/// <param name="Name">Also the storage account's.</param>
/// <param name="Location">In canonical spelling.</param>
/// <param name="Shares">Those that have a name of their own, each with an absolute path.</param>
/// <param name="SharesRoot">Absolute path of a folder each of whose folders is a share, or null.</param>
public sealed record LocalFileServer(string SubscriptionId, string ResourceGroup, string Name, string Location, IReadOnlyList<LocalShare> Shares, string? SharesRoot);

/// <summary>A share and the absolute path of its folder.</summary>
public sealed record LocalShare(string Name, string Path);

/// <summary>The door to the stored file servers; filled by the composition root.</summary>
/// <remarks>Thread-safe.</remarks>
public interface ILocalFileServers
{
    /// <summary>All file servers of kind <c>Local</c> in a subscription, in any order.</summary>
    Task<IReadOnlyList<LocalFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken);
}
