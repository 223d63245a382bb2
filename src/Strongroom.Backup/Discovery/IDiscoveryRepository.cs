namespace Strongroom.Backup.Discovery;

/// <summary>Remembers which machines and storage accounts a vault has discovered: a new one is offered for protection only after the vault's containers were refreshed.</summary>
public interface IDiscoveryRepository
{
    /// <summary>ARM ids, lower case.</summary>
    Task<IReadOnlySet<string>> ListAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>Replaces what the vault had discovered.</summary>
    Task ReplaceAsync(Guid vaultKey, IReadOnlyCollection<string> resourceIds, CancellationToken cancellationToken);
}
