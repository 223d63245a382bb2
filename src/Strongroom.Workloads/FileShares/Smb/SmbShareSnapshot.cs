using Strongroom.Backup.FileShares;
using Strongroom.Store;

namespace Strongroom.Workloads.FileShares.Smb;

/// <summary>The files of a share as they are read, one after another.</summary>
internal sealed class SmbShareSnapshot(AccountShare share, SmbProcess process, TimeProvider time) : IShareSnapshot
{
    private readonly SmbTree _tree = new(process);

    /// <inheritdoc/>
    public bool IsOneMoment => false;

    /// <inheritdoc/>
    public IReadOnlyList<string> Notes { get; } =
    [
        $"The files of '{share.Name}' were read over SMB, one after another while they could change. Alternate data streams and hard links are not to be seen there, and were left out.",
        .. process.HasSecurity ? (IEnumerable<string>)[] : [$"The file server does not tell of access rights, so those of '{share.Name}' are not kept: the service that it has for them (LSA) does not answer."],
    ];

    /// <inheritdoc/>
    public async Task<TreeBackupResult> WriteAsync(StoreSession session, TreeRef? parent, IProgress<TreeProgress>? progress, CancellationToken cancellationToken)
    {
        // Snapshots of Strongroom's own, where the same folder is a share of kind Local as well.
        var options = new TreeOptions { Excludes = [".strongroom-snapshots/"], Clock = new SlowClock(time) };
        return await session.WriteTreeAsync(_tree, parent, options, progress, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _tree.Dispose();
        await process.DisposeAsync();
    }

    /// <summary>The file server's clock at its latest: a file is settled when it has not changed for so long by any clock between that and ours.</summary>
    private sealed class SlowClock(TimeProvider time) : TimeProvider
    {
        private static readonly TimeSpan s_behind = TimeSpan.FromMinutes(10);

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() - s_behind;
    }
}
