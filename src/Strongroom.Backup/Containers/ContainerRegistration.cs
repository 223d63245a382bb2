using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.Containers;

/// <summary>Registers storage accounts with vaults, and ends it.</summary>
public sealed class ContainerRegistration(IContainerRepository containers, IVaultRepository vaults, IFileShareFabric fabric, IOperationRepository operations, TimeProvider time)
{
    /// <summary>Registers a storage account; one that is registered with the vault already stays so.</summary>
    /// <param name="nativeName">As the path has it.</param>
    /// <param name="sourceResourceId">The account's ARM id.</param>
    /// <returns>The operation to track, which is over already.</returns>
    /// <exception cref="BackupRefusedException">There is no such account, it is elsewhere, or another vault has it.</exception>
    public async Task<AsyncOperation> RegisterAsync(Vault vault, string nativeName, string? sourceResourceId, CancellationToken cancellationToken)
    {
        if (!ShareAccountId.TryParse(sourceResourceId, out var id)) throw Invalid("'sourceResourceId' must be the id of a storage account.", "properties.sourceResourceId");
        if (ItemNames.OfAccount(id.ResourceGroup, id.Name) != nativeName) throw Invalid("The container's name does not belong to the storage account in 'sourceResourceId'.", "properties.sourceResourceId");
        var account = id.SubscriptionId.Equals(vault.SubscriptionId, StringComparison.OrdinalIgnoreCase)
            ? await fabric.FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken)
            : null;
        if (account is null)
        {
            throw new BackupRefusedException(BackupRefusal.ContainerNotFound,
                $"Storage account '{id.Name}' was not found in resource group '{id.ResourceGroup}', or holds no file shares that can be protected. File servers appear as storage accounts: see Strongroom.Fabric/fileServers.", id.Name);
        }

        if (!account.Location.Equals(vault.Location, StringComparison.OrdinalIgnoreCase))
            throw Invalid($"Storage account '{account.Name}' is in '{account.Location}', the vault is in '{vault.Location}'. Register it with a vault of its own location.", "properties.sourceResourceId");

        var container = new RegisteredContainer { VaultKey = vault.Key, NativeName = nativeName, FriendlyName = account.Name, SourceResourceId = account.ResourceId, RegisteredAt = time.GetUtcNow() };
        if (!await containers.TryAddAsync(container, cancellationToken))
        {
            var known = await containers.FindBySourceAsync(account.ResourceId, cancellationToken);
            if (known is null) throw new BackupRefusedException(BackupRefusal.Conflict, "The vault or the registration was changed by another request at the same moment. Try again.");
            if (known.VaultKey != vault.Key)
            {
                var other = await vaults.FindAsync(known.VaultKey, cancellationToken);
                throw new BackupRefusedException(BackupRefusal.ContainerRegisteredElsewhere,
                    $"Storage account '{account.Name}' is registered with {(other is null ? "another vault" : $"vault '{other.Name}'")} already. Unregister it there first.", account.Name);
            }
        }

        return await RecordAsync(vault, nativeName, cancellationToken);
    }

    /// <returns>The operation to track, which is over already; null: it is not registered.</returns>
    /// <exception cref="BackupRefusedException">Items are in it.</exception>
    public async Task<AsyncOperation?> UnregisterAsync(Vault vault, string nativeName, CancellationToken cancellationToken) =>
        await containers.RemoveAsync(vault.Key, nativeName, cancellationToken) switch
        {
            ContainerRemoval.Removed => await RecordAsync(vault, nativeName, CancellationToken.None),
            ContainerRemoval.Absent => null,
            _ => throw new BackupRefusedException(BackupRefusal.ContainerInUse,
                $"Shares of storage account '{nativeName[(nativeName.LastIndexOf(';') + 1)..]}' are protected, or soft-deleted with their data kept. Stop their protection with deletion of their data first.", nativeName),
        };

    /// <summary>Looks for shares anew in a registered account.</summary>
    /// <returns>The operation to track, which is over already.</returns>
    /// <exception cref="BackupRefusedException">It is not registered.</exception>
    /// <exception cref="ShareException">Its server fails.</exception>
    public async Task<AsyncOperation> InquireAsync(Vault vault, string nativeName, CancellationToken cancellationToken)
    {
        var container = await containers.FindAsync(vault.Key, nativeName, cancellationToken)
            ?? throw new BackupRefusedException(BackupRefusal.ContainerNotFound, $"'{nativeName}' is not registered with vault '{vault.Name}'.", nativeName);
        // Nothing is kept of it: shares are looked for whenever they are listed. A server that fails says so here.
        await ListSharesAsync(container.Container, cancellationToken);
        return await RecordAsync(vault, nativeName, cancellationToken);
    }

    private async Task<IReadOnlyList<AccountShare>> ListSharesAsync(RegisteredContainer container, CancellationToken cancellationToken) =>
        ShareAccountId.TryParse(container.SourceResourceId, out var id) && await fabric.FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken) is { } account
            ? await fabric.ListSharesAsync(account, cancellationToken)
            : throw new ShareException(ShareProblem.NotFound, $"Storage account '{container.FriendlyName}' is not there any more.");

    private async Task<AsyncOperation> RecordAsync(Vault vault, string nativeName, CancellationToken cancellationToken)
    {
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, Subject = nativeName, StartedAt = time.GetUtcNow() };
        await operations.AddAsync(operation, cancellationToken);
        return operation;
    }

    private static BackupRefusedException Invalid(string message, string subject) => new(BackupRefusal.InvalidInput, message, subject);
}
