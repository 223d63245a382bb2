using Microsoft.Extensions.Logging.Abstractions;
using Strongroom.Backup.FileShares;
using Strongroom.Clients;
using Strongroom.Store;
using Strongroom.Workloads.FileShares.Smb;

namespace Strongroom.Workloads.Tests.FileShares.Smb;

/// <summary>A file server of kind Smb: a Samba of the test's own with the shares <c>one</c> and <c>two</c>, and a vault. The clock is an hour ahead, so that files are settled at once.</summary>
public sealed class SmbLab : ISmbFileServers, IAsyncDisposable
{
    private readonly TimeProvider _time = new FastClock();

    private SmbLab(ShareLab local, SambaServer samba)
    {
        (Local, Samba) = (local, samba);
        Login = new("root", SambaServer.Password);
        Server = new(ShareLab.Subscription, "lab", "nas2", "home", samba.Address, "nas2", []);
        Fabric = new(this, new() { Executable = Repository.ServerExecutable }, _time, NullLogger<SmbFileShares>.Instance);
    }

    /// <summary>The same folders as shares of kind Local, and the vault.</summary>
    public ShareLab Local { get; }

    public SambaServer Samba { get; }

    public SmbFileShares Fabric { get; }

    public SmbFileServer Server { get; set; }

    public SmbLogin? Login { get; set; }

    public string One => Path.Combine(Local.Root, "one");

    public string Two => Path.Combine(Local.Root, "two");

    public static async Task<SmbLab> StartAsync()
    {
        var local = await ShareLab.StartAsync();
        foreach (var name in new[] { "one", "two" }) Directory.CreateDirectory(Path.Combine(local.Root, name));
        try
        {
            return new(local, await SambaServer.StartOnLoopbackAsync(("one", Path.Combine(local.Root, "one")), ("two", Path.Combine(local.Root, "two")), ("hidden$", local.Root)));
        }
        catch
        {
            await local.DisposeAsync();
            throw;
        }
    }

    public async Task<ShareAccount> AccountAsync() => (await Fabric.FindAccountAsync(ShareLab.Subscription, "LAB", "nas2", CancellationToken.None))!;

    public async Task<AccountShare> ShareAsync(string name) => new(await AccountAsync(), name);

    /// <summary>Backs a share up over SMB.</summary>
    public async Task<(TreeBackupResult Result, SessionStatistics Statistics)> BackUpAsync(string share, TreeRef? parent = null)
    {
        await using var snapshot = await Fabric.SnapshotAsync(await ShareAsync(share), Guid.NewGuid(), CancellationToken.None);
        var (result, statistics, _) = await Local.StoreAsync(snapshot, parent);
        return (result, statistics);
    }

    /// <summary>All that a client is told of these, without what no backup keeps over SMB: when they were last read, their inodes, and whether they inherit.</summary>
    public async Task<string> LookAsync(string share, params string[] paths)
    {
        var looks = new List<string>();
        foreach (var path in paths)
        {
            looks.AddRange((await Samba.AclAsync(share, path)).Split('\n').Where(line => !line.StartsWith("CONTROL:", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
            var information = await Samba.ClientAsync(share, $"allinfo {path.Replace('/', '\\')}");
            looks.AddRange(information.Split('\n').Where(line => !line.StartsWith("access_time", StringComparison.Ordinal) && !line.StartsWith("stream", StringComparison.Ordinal)));
        }

        return string.Join('\n', looks);
    }

    public Task<IReadOnlyList<SmbFileServer>> ListAsync(string subscriptionId, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<SmbFileServer>>(subscriptionId == Server.SubscriptionId ? [Server] : []);

    public SmbLogin? FindLogin(string name, string host) => name == Server.Credentials ? Login : null;

    public async ValueTask DisposeAsync()
    {
        await Samba.DisposeAsync();
        await Local.DisposeAsync();
    }

    private sealed class FastClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddHours(1);
    }
}
