using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Vaults;

namespace Strongroom.Backup.FileShares;

/// <summary>Finds the share that is to be put under protection. Clients name its storage account, which must be registered, and know the share by the digits in its item's name.</summary>
public sealed class ShareSource(IFileShareFabric fabric, IContainerRepository containers) : IItemSource
{
    public ItemKind Kind => ItemKind.FileShare;

    public async Task<ItemSource> FindAsync(Vault vault, ProtectionRequest request, CancellationToken cancellationToken)
    {
        if (!ShareAccountId.TryParse(request.SourceResourceId, out var id)) throw Invalid("sourceResourceId is not the id of a storage account.");
        if (ItemNames.OfAccount(id.ResourceGroup, id.Name) != ItemNames.ContainerOf(request.NativeName))
            throw Invalid("The name of the container does not belong to the storage account in sourceResourceId.");
        if (await containers.FindAsync(vault.Key, ItemNames.ContainerOf(request.NativeName), cancellationToken) is null)
            throw Invalid($"Storage account '{id.Name}' is not registered with vault '{vault.Name}'. Register its container first.");
        var account = id.SubscriptionId.Equals(vault.SubscriptionId, StringComparison.OrdinalIgnoreCase)
            ? await fabric.FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, cancellationToken)
            : null;
        var shares = account is null ? [] : await fabric.ListSharesAsync(account, cancellationToken);
        var share = shares.FirstOrDefault(s => ItemNames.OfShare(id.ResourceGroup, id.Name, s.ResourceId) == request.NativeName);
        return share is not null
            ? new(share.Name, share.ResourceId, account!.Location)
            : throw new BackupRefusedException(BackupRefusal.ItemNotFound, $"Storage account '{id.Name}' in resource group '{id.ResourceGroup}' has no file share of that name. Inquire its container for new shares.");
    }

    public bool IsOf(ProtectedItem item, string sourceResourceId) =>
        ShareAccountId.TryParse(sourceResourceId, out var account) && ItemNames.OfAccount(account.ResourceGroup, account.Name) == ItemNames.ContainerOf(item.NativeName)
        && ShareId.TryParse(item.SourceResourceId, out var share) && share.Account.SubscriptionId.Equals(account.SubscriptionId, StringComparison.OrdinalIgnoreCase);

    private static BackupRefusedException Invalid(string message) => new(BackupRefusal.InvalidConfigureProtection, message);
}
