using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Api.Tests.Support;

/// <summary>File servers of kind Local whose shares are a list; those that are stored are there.</summary>
public sealed class FakeFileServers : IFileServerValidator, IFileShareFabric
{
    /// <summary>Of every server.</summary>
    public List<string> Shares { get; } = [];

    /// <summary>Runs when shares are listed.</summary>
    public Func<Task> WhileListing { get; set; } = static () => Task.CompletedTask;

    public string Allowed { get; set; } = "/srv/shares";

    public string Kind => "Local";

    /// <summary>Runs when properties are judged, on the judge's thread.</summary>
    public Action WhileJudging { get; set; } = static () => { };

    public JsonObject Accept(JsonObject sent)
    {
        WhileJudging();
        return sent.RequiredText("sharesRoot") is var path && path.StartsWith(Allowed, StringComparison.Ordinal)
            ? new() { ["sharesRoot"] = path }
            : throw ArmErrors.Custom(400, "SharePathNotAllowed", "The path is not below a folder that the operator allowed.", "$.properties.sharesRoot");
    }

    /// <summary>The accounts that listings have, in group <c>Lab</c>; a server that is asked for by its name is always there.</summary>
    public List<string> Accounts { get; } = [];

    /// <summary>Where the shares' folders are, each under its own name.</summary>
    public string? Folder { get; set; }

    public Task<IReadOnlyList<ShareAccount>> ListAccountsAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ShareAccount>>([.. Accounts.Select(name => new ShareAccount(subscriptionId, "Lab", name, "home"))]);

    public Task<ShareAccount?> FindAccountAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        Task.FromResult<ShareAccount?>(new(subscriptionId, resourceGroup, name, "home"));

    public async Task<IReadOnlyList<AccountShare>> ListSharesAsync(ShareAccount account, CancellationToken cancellationToken)
    {
        await WhileListing();
        return [.. Shares.Select(name => new AccountShare(account, name))];
    }

    public Task<IShareSnapshot> SnapshotAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken) => Task.FromResult<IShareSnapshot>(new Opened(PathOf(share)));

    public Task EndBackupAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<IShareTarget> OpenTargetAsync(AccountShare share, CancellationToken cancellationToken) => Task.FromResult<IShareTarget>(new Opened(PathOf(share)));

    private string PathOf(AccountShare share) => Shares.Contains(share.Name) && Folder is not null
        ? Path.Combine(Folder, share.Name)
        : throw new ShareException(ShareProblem.NotFound, $"There is no share '{share.Name}'.");

    private sealed class Opened(string folder) : IShareSnapshot, IShareTarget
    {
        public bool IsOneMoment => false;

        public IReadOnlyList<string> Notes => [];

        public Task<TreeBackupResult> WriteAsync(StoreSession session, TreeRef? parent, IProgress<TreeProgress>? progress, CancellationToken cancellationToken) =>
            session.WriteTreeAsync(folder, parent, new(), progress, cancellationToken);

        public Task<TreeRestoreResult> RestoreAsync(
            VaultStore store, TreeRef tree, IReadOnlyList<TreeSelection> selections, TreeRestoreOptions options, IProgress<TreeProgress>? progress, CancellationToken cancellationToken) =>
            store.RestoreTreeAsync(tree, selections, folder, options, progress, cancellationToken);

        public ValueTask DisposeAsync() => default;
    }
}
