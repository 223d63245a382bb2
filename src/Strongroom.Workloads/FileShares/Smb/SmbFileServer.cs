namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>A <c>Strongroom.Fabric/fileServers</c> resource of kind <c>Smb</c>: its shares are those of another machine.</summary>
/// <param name="SubscriptionId">In lower case.</param>
/// <param name="ResourceGroup">In its owner's spelling.</param>
/// <param name="Name">Also the storage account's.</param>
/// <param name="Location">In canonical spelling.</param>
/// <param name="Host">Its name or IPv4 address, as the operator has allowed it.</param>
/// <param name="Credentials">The name of its login, which the operator keeps.</param>
/// <param name="Shares">Those that are protected; none: all that the server lists.</param>
public sealed record SmbFileServer(string SubscriptionId, string ResourceGroup, string Name, string Location, string Host, string Credentials, IReadOnlyList<SmbShare> Shares);

/// <summary>A share, and what it is called on its server.</summary>
public sealed record SmbShare(string Name, string NameOnServer);

/// <summary>Who Strongroom is for a file server.</summary>
/// <param name="UserName">With a domain before a backslash, if it has one.</param>
public sealed record SmbLogin(string UserName, string Password)
{
    /// <summary>Without the password, wherever it is written.</summary>
    public override string ToString() => UserName;
}

/// <summary>The door to the stored file servers and to the logins that the operator keeps; filled by the composition root.</summary>
/// <remarks>Thread-safe.</remarks>
public interface ISmbFileServers
{
    /// <summary>All file servers of kind <c>Smb</c> in a subscription that the operator still allows, in any order.</summary>
    Task<IReadOnlyList<SmbFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken);

    /// <summary>The login of a name that may be sent to this server, or null.</summary>
    SmbLogin? FindLogin(string name, string host);
}
