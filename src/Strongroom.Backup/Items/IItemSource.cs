using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Items;

/// <summary>Finds what is to be put under protection, of one kind.</summary>
public interface IItemSource
{
    ItemKind Kind { get; }

    /// <summary>What a request names.</summary>
    /// <exception cref="BackupRefusedException">InvalidConfigureProtection: the request does not hang together. ItemNotFound: there is no such thing.</exception>
    Task<ItemSource> FindAsync(Vault vault, ProtectionRequest request, CancellationToken cancellationToken);

    /// <summary>Whether a <c>sourceResourceId</c> names what an item protects.</summary>
    bool IsOf(ProtectedItem item, string sourceResourceId);
}

/// <summary>What can be put under protection.</summary>
/// <param name="FriendlyName">In its owner's spelling.</param>
/// <param name="ResourceId">Its ARM id in its owner's spelling.</param>
public sealed record ItemSource(string FriendlyName, string ResourceId, string Location);
