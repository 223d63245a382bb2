using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Support;

/// <summary>File servers whose shares are folders that a test names.</summary>
internal sealed class FolderShares : IFileShareFabric
{
    /// <summary>Folders by account and share.</summary>
    public Dictionary<(string Account, string Share), string> Folders { get; } = [];

    public string Location { get; set; } = "home";

    /// <summary>Of accounts that are elsewhere.</summary>
    public Dictionary<string, string> Locations { get; } = [];

    /// <summary>Runs when a share is opened for a backup.</summary>
    public Func<Task> WhileSnapshotting { get; set; } = static () => Task.CompletedTask;

    /// <summary>Runs before a share's files are stored.</summary>
    public Func<Task> WhileWriting { get; set; } = static () => Task.CompletedTask;

    /// <summary>Runs when files have been restored, before the job hears of it.</summary>
    public Func<CancellationToken, Task> WhenRestored { get; set; } = static _ => Task.CompletedTask;

    /// <summary>What snapshots say.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>What backups could not read.</summary>
    public List<TreeProblem> Problems { get; } = [];

    /// <summary>What is held on the server.</summary>
    public int Snapshots { get; private set; }

    /// <summary>Items whose left-overs were removed.</summary>
    public List<Guid> Ended { get; } = [];

    public Task<IReadOnlyList<ShareAccount>> ListAccountsAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ShareAccount>>([.. Folders.Keys.Select(k => k.Account).Distinct().Select(name => new ShareAccount(subscriptionId, "Lab", name, Locations.GetValueOrDefault(name, Location)))]);

    public Task<ShareAccount?> FindAccountAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) => Task.FromResult(
        resourceGroup.Equals("Lab", StringComparison.OrdinalIgnoreCase) && Folders.Keys.FirstOrDefault(k => k.Account.Equals(name, StringComparison.OrdinalIgnoreCase)) is { Account: { } known }
            ? new ShareAccount(subscriptionId, "Lab", known, Locations.GetValueOrDefault(known, Location))
            : null);

    public Task<IReadOnlyList<AccountShare>> ListSharesAsync(ShareAccount account, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<AccountShare>>([.. Folders.Keys.Where(k => k.Account == account.Name).Select(k => new AccountShare(account, k.Share))]);

    public async Task<IShareSnapshot> SnapshotAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken)
    {
        await WhileSnapshotting();
        if (!Folders.TryGetValue((share.Account.Name, share.Name), out var folder)) throw new ShareException(ShareProblem.NotFound, $"There is no share '{share.Name}'.");
        Snapshots++;
        return new Snapshot(this, folder);
    }

    public Task EndBackupAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken)
    {
        Ended.Add(itemKey);
        return Task.CompletedTask;
    }

    public Task<IShareTarget> OpenTargetAsync(AccountShare share, CancellationToken cancellationToken) => Folders.TryGetValue((share.Account.Name, share.Name), out var folder)
        ? Task.FromResult<IShareTarget>(new Target(this, folder))
        : throw new ShareException(ShareProblem.NotFound, $"There is no share '{share.Name}'.");

    private sealed class Snapshot(FolderShares owner, string folder) : IShareSnapshot
    {
        public bool IsOneMoment => false;

        public IReadOnlyList<string> Notes => owner.Notes;

        public async Task<TreeBackupResult> WriteAsync(StoreSession session, TreeRef? parent, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
        {
            await owner.WhileWriting();
            return await session.WriteTreeAsync(folder, parent, new(), progress, cancellationToken) with { Problems = owner.Problems, ProblemCount = owner.Problems.Count };
        }

        public ValueTask DisposeAsync()
        {
            owner.Snapshots--;
            return default;
        }
    }

    private sealed class Target(FolderShares owner, string folder) : IShareTarget
    {
        public async Task<TreeRestoreResult> RestoreAsync(
            VaultStore store, TreeRef tree, IReadOnlyList<TreeSelection> selections, TreeRestoreOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
        {
            var restored = await store.RestoreTreeAsync(tree, selections, folder, options, progress, cancellationToken);
            await owner.WhenRestored(cancellationToken);
            return restored;
        }

        public ValueTask DisposeAsync() => default;
    }
}
