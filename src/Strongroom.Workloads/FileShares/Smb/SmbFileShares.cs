using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>File servers of kind <c>Smb</c>: shares of other machines, through libsmbclient in processes of their own.</summary>
/// <remarks>Thread-safe; holds nothing but what it has warned of already.</remarks>
/// <param name="time">This machine's clock.</param>
public sealed class SmbFileShares(ISmbFileServers servers, SmbProcessOptions options, TimeProvider time, ILogger<SmbFileShares> log) : IFileShareFabric
{
    private const int MostWarnings = 10_000;

    // A listing runs at every look at the shares: each warning is logged once.
    private readonly ConcurrentDictionary<string, bool> _warned = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ShareAccount>> ListAccountsAsync(string subscriptionId, string? resourceGroup, CancellationToken cancellationToken) =>
        [.. from server in await servers.ListAsync(subscriptionId, cancellationToken)
            where resourceGroup is null || server.ResourceGroup.Equals(resourceGroup, StringComparison.OrdinalIgnoreCase)
            select AccountOf(server)];

    /// <inheritdoc/>
    public async Task<ShareAccount?> FindAccountAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        await FindServerAsync(subscriptionId, resourceGroup, name, cancellationToken) is { } server ? AccountOf(server) : null;

    /// <inheritdoc/>
    /// <remarks>Asks the file server, also where the shares are named: that it answers is what its state says.</remarks>
    public async Task<IReadOnlyList<AccountShare>> ListSharesAsync(ShareAccount account, CancellationToken cancellationToken)
    {
        var server = await RequireServerAsync(account, cancellationToken);
        var listed = await ScanAsync(server, cancellationToken);
        var shares = server.Shares.Count > 0 ? server.Shares : listed;
        return [.. shares.OrderBy(share => share.Name, StringComparer.OrdinalIgnoreCase).Select(share => new AccountShare(account, share.Name))];
    }

    /// <inheritdoc/>
    public async Task<IShareSnapshot> SnapshotAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken) =>
        new SmbShareSnapshot(share, await OpenAsync(share, cancellationToken), time);

    /// <inheritdoc/>
    /// <remarks>Nothing is ever left there.</remarks>
    public Task EndBackupAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<IShareTarget> OpenTargetAsync(AccountShare share, CancellationToken cancellationToken) => new SmbShareTarget(await OpenAsync(share, cancellationToken));

    private static ShareAccount AccountOf(SmbFileServer server) => new(server.SubscriptionId, server.ResourceGroup, server.Name, server.Location);

    private async Task<SmbFileServer?> FindServerAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await servers.ListAsync(subscriptionId, cancellationToken)).FirstOrDefault(server =>
            server.ResourceGroup.Equals(resourceGroup, StringComparison.OrdinalIgnoreCase) && server.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private async Task<SmbFileServer> RequireServerAsync(ShareAccount account, CancellationToken cancellationToken) =>
        await FindServerAsync(account.SubscriptionId, account.ResourceGroup, account.Name, cancellationToken)
        ?? throw new ShareException(ShareProblem.NotFound, $"File server '{account.Name}' is not there any more, or its operator does not allow it any more (strongroom serve --allow-smb HOST).");

    private async Task<SmbProcess> OpenAsync(AccountShare share, CancellationToken cancellationToken)
    {
        var server = await RequireServerAsync(share.Account, cancellationToken);
        // What is not named is called on the server as it is listed, and SMB does not care for capitals.
        var nameOnServer = server.Shares.FirstOrDefault(other => other.Name.Equals(share.Name, StringComparison.OrdinalIgnoreCase))?.NameOnServer
            ?? (server.Shares.Count == 0 ? share.Name : throw new ShareException(ShareProblem.NotFound, $"Share '{share.Name}' is not one of file server '{server.Name}' any more."));
        return await SmbProcess.StartAsync(options, server, RequireLogin(server), nameOnServer, log, cancellationToken);
    }

    private SmbLogin RequireLogin(SmbFileServer server) => servers.FindLogin(server.Credentials, server.Host)
        ?? throw new ShareException(ShareProblem.ServerFailed, $"The server has no usable credentials '{server.Credentials}' for file server '{server.Name}' any more.");

    /// <summary>The shares that the server lists, but hidden ones and those whose name is none of a resource.</summary>
    private async Task<List<SmbShare>> ScanAsync(SmbFileServer server, CancellationToken cancellationToken)
    {
        await using var process = await SmbProcess.StartAsync(options, server, RequireLogin(server), null, log, cancellationToken);
        var shares = new List<SmbShare>();
        foreach (var name in (await process.ListSharesAsync(cancellationToken)).Order(StringComparer.Ordinal))
        {
            if (name.EndsWith('$')) continue;
            if (ResourceNames.IsGeneralName(name) && !shares.Any(share => share.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) shares.Add(new(name, name));
            else if (_warned.Count < MostWarnings && _warned.TryAdd($"{server.Name} {name}", true))
                log.LogWarning("Share '{Share}' of file server '{Server}' is left out: its name is none for a share here; list it with a name of its own", name, server.Name);
        }

        return shares;
    }
}
