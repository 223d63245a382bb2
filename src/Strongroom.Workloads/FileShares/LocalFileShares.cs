using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Workloads.FileShares.Btrfs;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Workloads.FileShares;

/// <summary>File servers of kind <c>Local</c>: shares are folders of this server.</summary>
/// <remarks>Thread-safe; holds nothing but what it has warned of already.</remarks>
/// <param name="own">What is never a share.</param>
/// <param name="serverId">Names the server's own snapshots: those of other servers are never touched.</param>
/// <param name="calls">Asks for folders that may lie on a mount whose server is gone.</param>
public sealed class LocalFileShares(ILocalFileServers servers, AllowedRoots roots, OwnFolders own, Guid serverId, BoundedCalls calls, ILogger<LocalFileShares> log) : IFileShareFabric
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
    public async Task<IReadOnlyList<AccountShare>> ListSharesAsync(ShareAccount account, CancellationToken cancellationToken)
    {
        var server = await RequireServerAsync(account, cancellationToken);
        var shares = await AskAsync(server, null, () => Scan(server, static _ => true), cancellationToken);
        return [.. shares.OrderBy(share => share.Name, StringComparer.OrdinalIgnoreCase).Select(share => new AccountShare(account, share.Name))];
    }

    /// <inheritdoc/>
    public Task<IShareSnapshot> SnapshotAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken) =>
        OpenAsync<IShareSnapshot>(share, (folder, realPath) => FolderShareSnapshot.Take(share, folder, realPath, SnapshotName(itemKey), log), cancellationToken);

    /// <inheritdoc/>
    public async Task EndBackupAsync(AccountShare share, Guid itemKey, CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(
                share,
                (folder, _) =>
                {
                    using (folder)
                    {
                        if (BtrfsCalls.IsBtrfs(folder))
                            SubvolumeSnapshot.Remove(folder, SnapshotName(itemKey));
                    }

                    return true;
                },
                cancellationToken);
        }
        catch (ShareException exception) when (exception.Problem is ShareProblem.NotFound or ShareProblem.NotReadable)
        {
            // What cannot be found cannot be cleaned.
        }
        catch (IOException failure)
        {
            throw new ShareException(ShareProblem.ServerFailed, $"The snapshot of share '{share.Name}' cannot be removed from its file server: {failure.Message}.", failure);
        }
    }

    /// <inheritdoc/>
    public Task<IShareTarget> OpenTargetAsync(AccountShare share, CancellationToken cancellationToken) => OpenAsync<IShareTarget>(
        share,
        (folder, _) => ShareFolderCalls.IsWritable(folder)
            ? new FolderShareTarget(share, folder)
            : throw new ShareException(ShareProblem.NotWritable, $"The server may not write to the folder of share '{share.Name}', or its file system is read-only."),
        cancellationToken);

    private string SnapshotName(Guid itemKey) => $"{serverId:N}-{itemKey:N}";

    private static ShareAccount AccountOf(LocalFileServer server) => new(server.SubscriptionId, server.ResourceGroup, server.Name, server.Location);

    private async Task<LocalFileServer?> FindServerAsync(string subscriptionId, string resourceGroup, string name, CancellationToken cancellationToken) =>
        (await servers.ListAsync(subscriptionId, cancellationToken)).FirstOrDefault(server =>
            server.ResourceGroup.Equals(resourceGroup, StringComparison.OrdinalIgnoreCase) && server.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private async Task<LocalFileServer> RequireServerAsync(ShareAccount account, CancellationToken cancellationToken) =>
        await FindServerAsync(account.SubscriptionId, account.ResourceGroup, account.Name, cancellationToken)
        ?? throw new ShareException(ShareProblem.NotFound, $"File server '{account.Name}' is not there any more.");

    /// <summary>Opens a share's folder, which <paramref name="use"/> is to close; here it is closed when that fails.</summary>
    private async Task<T> OpenAsync<T>(AccountShare share, Func<SafeFileHandle, string, T> use, CancellationToken cancellationToken)
    {
        var server = await RequireServerAsync(share.Account, cancellationToken);
        var opened = await AskAsync(server, share.Name, () => Open(Find(server, share.Name)), cancellationToken);
        // It answers. A snapshot takes what time it takes, and there must never be two of one item.
        return await Task.Run(
            () =>
            {
                try
                {
                    return use(opened.Folder, opened.RealPath);
                }
                catch
                {
                    opened.Dispose();
                    throw;
                }
            },
            CancellationToken.None);
    }

    /// <summary>File system calls block; they are not for the caller's thread, and have a limit.</summary>
    /// <param name="share">The share that is asked for; null: all of them. One that does not answer holds up no other.</param>
    private async Task<T> AskAsync<T>(LocalFileServer server, string? share, Func<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await calls.RunAsync($"{server.SubscriptionId}/{server.ResourceGroup}/{server.Name}/{share}", call, cancellationToken);
        }
        catch (TimeoutException late)
        {
            var what = share is null ? $"The folders of file server '{server.Name}' do" : $"The folder of share '{share}' does";
            log.LogWarning("{What} not answer ({Server}): see that what is mounted there can be reached", what, server.Name);
            throw new ShareException(ShareProblem.ServerFailed, $"{what} not answer.", late);
        }
    }

    /// <summary>One that is listed does not need the root; of those in the root no other is touched.</summary>
    private LocalShare Find(LocalFileServer server, string name)
    {
        return server.Shares.FirstOrDefault(share => IsIt(share.Name)) ?? Scan(server, IsIt).Find(share => IsIt(share.Name))
            ?? throw new ShareException(ShareProblem.NotFound, $"Share '{name}' is not on file server '{server.Name}' any more.");

        bool IsIt(string other) => other.Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private OpenedShare Open(LocalShare share)
    {
        try
        {
            using var place = roots.OpenFolder(share.Path);
            if (own.Meets(place.RealPath))
                throw new ShareException(ShareProblem.NotReadable, $"The folder of share '{share.Name}' holds the server's own data or vaults, or lies in them: it can neither be backed up nor restored into.");
            var folder = ShareFolderCalls.Open(place.PinnedPath);
            try
            {
                // A mount may open from memory and answer nothing else.
                _ = ShareFolderCalls.FileSystemOf(folder);
                return new(folder, place.RealPath);
            }
            catch
            {
                folder.Dispose();
                throw;
            }
        }
        catch (PathRefusedException refused)
        {
            // Where the folder lies is nothing for those who see jobs.
            log.LogWarning("Share '{Share}' cannot be used: {Why}", share.Name, refused.Message);
            throw new ShareException(ShareProblem.NotReadable, $"The folder of share '{share.Name}' is not below a folder that the server's operator has allowed (strongroom serve --allow-path DIR).", refused);
        }
        catch (IOException failure) when (failure.HResult == ShareFolderCalls.NoEntry)
        {
            throw new ShareException(ShareProblem.NotFound, $"The folder of share '{share.Name}' is not there any more.", failure);
        }
        catch (IOException failure)
        {
            log.LogWarning("Share '{Share}' cannot be used: {Why}", share.Name, failure.Message);
            throw new ShareException(ShareProblem.NotReadable, $"The folder of share '{share.Name}' cannot be opened; the server's log says why.", failure);
        }
    }

    /// <summary>The shares of a server: those that it names, and the folders of its root that none of these is named like.</summary>
    /// <param name="isWanted">Which names of the root are looked at.</param>
    private List<LocalShare> Scan(LocalFileServer server, Func<string, bool> isWanted)
    {
        List<LocalShare> shares = [.. server.Shares];
        if (server.SharesRoot is not { } root)
            return shares;
        var listed = shares.Select(share => share.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var found = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        try
        {
            using var folder = roots.OpenFolder(root);
            foreach (var name in Directory.EnumerateDirectories(folder.PinnedPath).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal))
            {
                if (name.StartsWith('.') || listed.Contains(name) || !isWanted(name))
                    continue;
                var path = Path.Combine(folder.RealPath, name);
                if (FindObstacle(name, path, found) is { } why)
                    WarnOnce(server, path, why);
                else
                    shares.Add(new(name, path));
            }

            return shares;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("The shares of file server '{Server}' cannot be listed: {Why}", server.Name, failure.Message);
            throw new ShareException(ShareProblem.ServerFailed, $"The folder of the shares of file server '{server.Name}' cannot be read; the server's log says why.", failure);
        }
    }

    /// <summary>Why a folder is no share, for the operator: what may be said of a link's target is nothing for clients.</summary>
    private string? FindObstacle(string name, string path, HashSet<string> found)
    {
        if (!ResourceNames.IsGeneralName(name))
            return "its name is none for a share; list it with a name of its own";
        if (!found.Add(name))
            return "there is another one whose name differs in capitals only; list it with a name of its own";
        if (new DirectoryInfo(path).LinkTarget is not null)
            return roots.RefuseFolder(path);
        return own.Meets(path) ? "it holds the server's own data or vaults, or lies in them" : null;
    }

    private void WarnOnce(LocalFileServer server, string path, string why)
    {
        if (_warned.Count < MostWarnings && _warned.TryAdd($"{server.Name} {path}", true))
            log.LogWarning("Folder '{Path}' of file server '{Server}' is left out: {Why}", path, server.Name, why);
    }

    /// <summary>The folder of a share.</summary>
    private sealed record OpenedShare(SafeFileHandle Folder, string RealPath) : IDisposable
    {
        public void Dispose() => Folder.Dispose();
    }
}
