namespace Strongroom.Backup.Containers;

/// <summary>A storage account that is registered with a vault, so that shares in it can be protected.</summary>
public sealed record RegisteredContainer
{
    public required Guid VaultKey { get; init; }

    /// <summary>As <see cref="Items.ItemNames.OfAccount"/> gives it.</summary>
    public required string NativeName { get; init; }

    /// <summary>The account's name in its owner's spelling.</summary>
    public required string FriendlyName { get; init; }

    /// <summary>The account's ARM id in its owner's spelling.</summary>
    public required string SourceResourceId { get; init; }

    public required DateTimeOffset RegisteredAt { get; init; }
}

/// <summary>A container, and how many items are in it.</summary>
/// <param name="SoftDeletedItems">Of these, soft-deleted ones.</param>
public sealed record ContainerInUse(RegisteredContainer Container, int Items, int SoftDeletedItems);

/// <summary>What came of a registration that was to be ended.</summary>
public enum ContainerRemoval
{
    Removed,
    Absent,

    /// <summary>Items are in it.</summary>
    InUse,
}

/// <summary>Keeps the registrations of containers. Names are compared without regard to case.</summary>
public interface IContainerRepository
{
    Task<ContainerInUse?> FindAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken);

    /// <summary>In the order of their native names.</summary>
    Task<IReadOnlyList<ContainerInUse>> ListAsync(Guid vaultKey, CancellationToken cancellationToken);

    /// <summary>The registration of a storage account with any vault: at most one.</summary>
    Task<RegisteredContainer?> FindBySourceAsync(string sourceResourceId, CancellationToken cancellationToken);

    /// <summary>The storage accounts that any vault has registered: ARM ids, lower case.</summary>
    Task<IReadOnlySet<string>> ListRegisteredSourcesAsync(CancellationToken cancellationToken);

    /// <returns>False when the account is registered, with this vault or another, or when the vault is gone.</returns>
    Task<bool> TryAddAsync(RegisteredContainer container, CancellationToken cancellationToken);

    Task<ContainerRemoval> RemoveAsync(Guid vaultKey, string nativeName, CancellationToken cancellationToken);
}
