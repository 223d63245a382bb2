using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>
/// The door to the file servers: finds their shares, opens one for a backup and writes into one for a restore. Filled by Strongroom.Workloads, once for each kind of
/// server; the composition root joins them.
/// </summary>
/// <remarks>Thread-safe. A server that cannot be reached is logged and left out of a listing of accounts; it never makes that listing fail.</remarks>
public interface IFileShareFabric
{
    /// <summary>All file servers of a subscription, each as the storage account that clients see.</summary>
    /// <param name="resourceGroup">Only this group (without regard to case), or null for all.</param>
    Task<IReadOnlyList<ShareAccount>> ListAccountsAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken);

    /// <summary>One, or null.</summary>
    Task<ShareAccount?> FindAccountAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken);

    /// <summary>The shares of an account, live: nothing is cached. In the order of their names.</summary>
    /// <exception cref="ShareException">NotFound, ServerFailed.</exception>
    Task<IReadOnlyList<AccountShare>> ListSharesAsync(ShareAccount account, CancellationToken cancellationToken);

    /// <summary>Opens the moment of a share that a recovery point will show. What an earlier backup of the item has left on the server is removed first.</summary>
    /// <param name="itemKey">The protected item: what is left on the server for it bears this name.</param>
    /// <exception cref="ShareException">NotFound, ServerFailed, NotReadable.</exception>
    Task<IShareSnapshot> SnapshotAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken);

    /// <summary>Removes what a backup that died has left on the server. A share that is not there is no error.</summary>
    /// <exception cref="ShareException">ServerFailed.</exception>
    Task EndBackupAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken);

    /// <summary>Opens a share to be restored into.</summary>
    /// <exception cref="ShareException">NotFound, ServerFailed, NotWritable.</exception>
    Task<IShareTarget> OpenTargetAsync(AccountShare share, CancellationToken cancellationToken);
}

/// <summary>A file server as the storage account that clients see.</summary>
/// <param name="SubscriptionId">In lower case.</param>
/// <param name="ResourceGroup">In its owner's spelling.</param>
/// <param name="Name">In its owner's spelling.</param>
/// <param name="Location">An Azure region's or an own name, in canonical spelling.</param>
public sealed record ShareAccount(string SubscriptionId, string ResourceGroup, string Name, string Location)
{
    /// <summary>The ARM id of the <c>Microsoft.Storage/storageAccounts</c>.</summary>
    public string ResourceId => $"/subscriptions/{SubscriptionId}/resourceGroups/{ResourceGroup}/providers/Microsoft.Storage/storageAccounts/{Name}";
}

/// <summary>A share of an account.</summary>
public sealed record AccountShare(ShareAccount Account, string Name)
{
    /// <summary>The ARM id of the <c>Microsoft.Storage/storageAccounts/fileServices/shares</c>.</summary>
    public string ResourceId => $"{Account.ResourceId}/fileServices/default/shares/{Name}";
}

/// <summary>A share's files at one moment, or, where the server offers no snapshots, as they are read; held until disposed.</summary>
public interface IShareSnapshot : IAsyncDisposable
{
    /// <summary>True: all files are of one moment. False: they are read while they may change.</summary>
    bool IsOneMoment { get; }

    /// <summary>Sentences for the share's owner: why there is no snapshot.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>Stores the files: those that the parent has unchanged are not read.</summary>
    /// <exception cref="ShareException">The server failed.</exception>
    /// <exception cref="StoreException">As of <see cref="StoreSession.WriteTreeAsync(string, TreeRef?, TreeOptions, IProgress{TreeProgress}?, CancellationToken)"/>.</exception>
    Task<TreeBackupResult> WriteAsync(StoreSession session, TreeRef? parent, IProgress<TreeProgress>? progress, CancellationToken cancellationToken);
}

/// <summary>A share that is restored into.</summary>
public interface IShareTarget : IAsyncDisposable
{
    /// <summary>Restores parts of a tree into the share. Nothing is ever written outside of it.</summary>
    /// <exception cref="ShareException">The server failed.</exception>
    /// <exception cref="StoreException">As of <see cref="VaultStore.RestoreTreeAsync(TreeRef, IReadOnlyList{TreeSelection}, string, TreeRestoreOptions, IProgress{TreeProgress}, CancellationToken)"/>.</exception>
    Task<TreeRestoreResult> RestoreAsync(
        VaultStore store, TreeRef tree, IReadOnlyList<TreeSelection> selections, TreeRestoreOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken);
}

/// <summary>A share that cannot be backed up or restored into as it is; the message is for its owner.</summary>
public sealed class ShareException(ShareProblem problem, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public ShareProblem Problem { get; } = problem;
}

/// <summary>The kinds of <see cref="ShareException"/>, told apart because Azure has a code for each.</summary>
public enum ShareProblem
{
    /// <summary>The server or the share is not there any more.</summary>
    NotFound,

    /// <summary>The server cannot be reached, or does not let Strongroom in.</summary>
    ServerFailed,

    /// <summary>The share's folder cannot be read.</summary>
    NotReadable,

    /// <summary>The share cannot be written to.</summary>
    NotWritable,
}
