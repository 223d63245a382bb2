using Strongroom.Backup.FileShares;

namespace Strongroom.Workloads.FileShares;

/// <summary>The file servers of all kinds as one door. A file server's name is one of its kind in its group, so the account tells whose it is.</summary>
/// <remarks>Thread-safe.</remarks>
public sealed class AllFileServers(IReadOnlyList<IFileShareFabric> kinds) : IFileShareFabric
{
    /// <inheritdoc/>
    public async Task<IReadOnlyList<ShareAccount>> ListAccountsAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(kinds.Select(kind => kind.ListAccountsAsync(subscriptionId, resourceGroup, cancellationToken)));
        return [.. found.SelectMany(accounts => accounts)];
    }

    /// <inheritdoc/>
    public async Task<ShareAccount?> FindAccountAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken)
    {
        foreach (var kind in kinds)
        {
            if (await kind.FindAccountAsync(subscriptionId, resourceGroup, name, cancellationToken) is { } account) return account;
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<AccountShare>> ListSharesAsync(ShareAccount account, CancellationToken cancellationToken) =>
        await (await KindOfAsync(account, cancellationToken)).ListSharesAsync(account, cancellationToken);

    /// <inheritdoc/>
    public async Task<IShareSnapshot> SnapshotAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken) =>
        await (await KindOfAsync(share.Account, cancellationToken)).SnapshotAsync(share, itemKey, cancellationToken);

    /// <inheritdoc/>
    public async Task EndBackupAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken)
    {
        foreach (var kind in kinds)
        {
            if (await HasAsync(kind, share.Account, cancellationToken)) await kind.EndBackupAsync(share, itemKey, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async Task<IShareTarget> OpenTargetAsync(AccountShare share, CancellationToken cancellationToken) =>
        await (await KindOfAsync(share.Account, cancellationToken)).OpenTargetAsync(share, cancellationToken);

    private async Task<IFileShareFabric> KindOfAsync(ShareAccount account, CancellationToken cancellationToken)
    {
        foreach (var kind in kinds)
        {
            if (await HasAsync(kind, account, cancellationToken)) return kind;
        }

        throw new ShareException(ShareProblem.NotFound, $"File server '{account.Name}' is not there any more.");
    }

    private static async Task<bool> HasAsync(IFileShareFabric kind, ShareAccount account, CancellationToken cancellationToken) =>
        await kind.FindAccountAsync(account.SubscriptionId, account.ResourceGroup, account.Name, cancellationToken) is not null;
}
