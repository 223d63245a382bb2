using Microsoft.Extensions.Logging;
using Strongroom.Backup.FileShares;
using Strongroom.Store;
using Strongroom.Workloads.FileShares;
using Strongroom.Workloads.VirtualMachines.Folder;

namespace Strongroom.Workloads.Tests.FileShares;

/// <summary>A file server over a folder: <c>shares/</c> is allowed and the server's root, <c>outside/</c> is not allowed; and a vault.</summary>
public sealed class ShareLab : ILocalFileServers, ILogger<LocalFileShares>, IAsyncDisposable
{
    public const string Subscription = "11111111-2222-3333-4444-555555555555";

    /// <summary>How long a file server may be silent.</summary>
    public static TimeSpan AnswerLimit { get; } = TimeSpan.FromSeconds(2);

    private readonly DirectoryInfo _folder;

    private ShareLab(DirectoryInfo folder, VaultStore vault, string? root)
    {
        _folder = folder;
        Vault = vault;
        Root = root ?? Path.Combine(_folder.FullName, "shares");
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Outside);
        Roots = new AllowedRoots([Root]);
        Servers.Add(new(Subscription, "lab", "nas1", "home", [], Root));
        Fabric = new LocalFileShares(this, Roots, new OwnFolders([Own]), ServerId, new(AnswerLimit), this);
    }

    public Guid ServerId { get; } = Guid.NewGuid();

    public string Root { get; }

    public string Outside => Path.Combine(_folder.FullName, "outside");

    /// <summary>The server's own folder: not there, unless a test makes it.</summary>
    public string Own => Path.Combine(Root, "strongroom", "data");

    public AllowedRoots Roots { get; }

    public LocalFileShares Fabric { get; }

    public VaultStore Vault { get; }

    public List<LocalFileServer> Servers { get; } = [];

    public List<string> Warnings { get; } = [];

    /// <param name="root">A folder that is there, or null for a new one.</param>
    public static async Task<ShareLab> StartAsync(string? root = null)
    {
        var folder = Directory.CreateTempSubdirectory("shares-test-");
        var key = MasterKeyFile.LoadOrCreate(Path.Combine(folder.FullName, "key"));
        return new(folder, await VaultStore.CreateAsync(new MemoryBackend(), key, new(), TimeProvider.System, CancellationToken.None), root);
    }

    /// <summary>A folder of its own that belongs to the lab.</summary>
    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder.FullName, name)).FullName;

    /// <summary>Writes a file; the path is relative to the root.</summary>
    public string Write(string path, string content)
    {
        var full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        return full;
    }

    public async Task<ShareAccount> AccountAsync() => (await Fabric.FindAccountAsync(Subscription, "LAB", "nas1", CancellationToken.None))!;

    public async Task<AccountShare> ShareAsync(string name) => new(await AccountAsync(), name);

    public async Task<IEnumerable<string>> NamesAsync() => (await Fabric.ListSharesAsync(await AccountAsync(), CancellationToken.None)).Select(share => share.Name);

    public async Task<IShareSnapshot> SnapshotAsync(string share, Guid? itemKey = null) => await Fabric.SnapshotAsync(await ShareAsync(share), itemKey ?? Guid.NewGuid(), CancellationToken.None);

    /// <summary>Backs a share up.</summary>
    public async Task<(TreeBackupResult Result, SessionStatistics Statistics, IShareSnapshot Snapshot)> BackUpAsync(string share, TreeRef? parent = null, Guid? itemKey = null)
    {
        await using var snapshot = await SnapshotAsync(share, itemKey);
        return await StoreAsync(snapshot, parent);
    }

    /// <summary>Stores what a snapshot shows.</summary>
    public async Task<(TreeBackupResult Result, SessionStatistics Statistics, IShareSnapshot Snapshot)> StoreAsync(IShareSnapshot snapshot, TreeRef? parent = null)
    {
        await using var session = await Vault.OpenSessionAsync(CancellationToken.None);
        var result = await snapshot.WriteAsync(session, parent, null, CancellationToken.None);
        await session.CommitAsync(
            new() { Id = new(Guid.NewGuid()), ItemId = "share", Images = [], Trees = [new("share", result.Tree)], Consistency = "file", Configuration = "{}"u8.ToArray() }, CancellationToken.None);
        return (result, session.Statistics, snapshot);
    }

    /// <summary>Restores a whole tree into a share.</summary>
    public async Task<TreeRestoreResult> RestoreAsync(TreeRef tree, string share, ExistingFiles existing = ExistingFiles.Overwrite)
    {
        await using var target = await Fabric.OpenTargetAsync(await ShareAsync(share), CancellationToken.None);
        return await target.RestoreAsync(Vault, tree, [new(default, default)], new() { Existing = existing }, null, CancellationToken.None);
    }

    /// <summary>What the tree has directly in a folder.</summary>
    public async Task<List<string>> ListAsync(TreeRef tree, string path = "")
    {
        var names = new List<string>();
        await foreach (var entry in Vault.ListTreeAsync(tree, TreePath.Of(path), CancellationToken.None))
            names.Add(entry.NameText);
        return names;
    }

    public async Task<string> ReadAsync(TreeRef tree, string path)
    {
        using var text = new StreamReader(await Vault.OpenTreeFileAsync(tree, TreePath.Of(path), CancellationToken.None));
        return await text.ReadToEndAsync();
    }

    public Task<IReadOnlyList<LocalFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<LocalFileServer>>([.. Servers.Where(server => server.SubscriptionId == subscriptionId)]);

    public async ValueTask DisposeAsync()
    {
        await Vault.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (Warnings)
        {
            if (logLevel >= LogLevel.Warning)
                Warnings.Add(formatter(state, exception));
        }
    }
}
