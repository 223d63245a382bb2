using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.FileRecovery;

/// <summary>The recovery points that are mounted for the recovery of files: provisions, renews and revokes them, and ends them when their time has come (docs/file-recovery.md).</summary>
/// <remarks>
/// Mounts live in memory: what initiators wrote, and with it what their file systems think is on the disks, goes with the process, so no session may go on
/// after it. While a point is mounted it does not expire. Thread-safe.
/// </remarks>
public sealed class FileRecoveryMounts(
    IItemRepository items, IRecoveryPointRepository points, IJobLedger ledger, IOperationRepository operations, IVaultStores stores,
    PointHolds holds, RecoveryTargets targets, FileRecoveryOptions options, TimeProvider time, ILogger<FileRecoveryMounts> log) : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, Live> _live = new();
    private readonly ConcurrentDictionary<Guid, Guid> _operations = new();
    private readonly MountPlaces _places = new(options);
    private volatile bool _isStopping;

    /// <summary>Mounts a recovery point, or renews its mount where that is asked for and there is one.</summary>
    /// <exception cref="BackupRefusedException">Item or point do not exist or cannot be mounted now; nothing was changed.</exception>
    public async Task<AsyncOperation> ProvisionAsync(Vault vault, string nativeName, string pointName, FileRecoveryRequest request, CancellationToken cancellationToken)
    {
        var item = await FindItemAsync(vault, nativeName, cancellationToken);
        item.RequireNotDeleted();
        var renewed = request.Renews ? Renew(item, pointName, request) : null;
        var mount = renewed ?? await MountAsync(item, pointName, request, cancellationToken);
        try
        {
            // There is a mount now: its operation is written whatever becomes of the request.
            var operation = await AddOperationAsync(item, CancellationToken.None);
            _operations[operation.Id] = mount.Id;
            return operation;
        }
        catch when (renewed is null)
        {
            // Nobody would ever learn how to use it.
            if (_live.TryGetValue(mount.Id, out var live)) await EndAsync(live, "could not be handed out");
            throw;
        }
    }

    /// <summary>Ends all mounts of a recovery point at once. To revoke what is not mounted does nothing.</summary>
    /// <exception cref="BackupRefusedException">Item or point do not exist.</exception>
    public async Task<AsyncOperation> RevokeAsync(Vault vault, string nativeName, string pointName, CancellationToken cancellationToken)
    {
        var item = await FindItemAsync(vault, nativeName, cancellationToken);
        var mounted = Of(item.Key).Where(live => live.Mount.Point.Name == pointName).ToList();
        if (mounted.Count == 0 && await points.FindAsync(item.Key, pointName, cancellationToken) is null) throw item.PointNotFound(pointName);
        foreach (var live in mounted) await EndAsync(live, "was revoked");
        return await AddOperationAsync(item, cancellationToken);
    }

    public bool IsMounted(Guid itemKey, string pointName)
    {
        var now = time.GetUtcNow();
        return Of(itemKey).Any(live => live.Mount.Point.Name == pointName && live.Mount.EndsAt > now);
    }

    /// <summary>The mount of that id while it lasts.</summary>
    public FileRecoveryMount? Find(Guid mountId) => _live.GetValueOrDefault(mountId)?.Mount is { } mount && mount.EndsAt > time.GetUtcNow() ? mount : null;

    /// <summary>The mount that an operation has made or renewed, while it lasts.</summary>
    public FileRecoveryMount? FindByOperation(Guid operationId) => _operations.TryGetValue(operationId, out var mountId) ? Find(mountId) : null;

    /// <summary>Ends the mounts of an item whose data is about to go.</summary>
    public async Task EndItemAsync(Guid itemKey)
    {
        foreach (var live in Of(itemKey)) await EndAsync(live, "ended, because its recovery points are deleted");
    }

    /// <summary>Ends the mounts whose time has come.</summary>
    public async Task SweepAsync()
    {
        var now = time.GetUtcNow();
        foreach (var live in _live.Values.Where(live => live.Mount.EndsAt <= now)) await EndAsync(live, "has ended after its time");
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // An address that somebody has asked for is listened on from the start, or there is no start.
        if (options.Listen is not null) await targets.StartAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        await base.StopAsync(cancellationToken);
        foreach (var live in _live.Values) await EndAsync(live, "has ended with the server");
        await targets.DisposeAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Looked at by real time, compared with a clock that a tester may have moved.
        using var timer = new PeriodicTimer(SweepInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try { await SweepAsync(); }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogError(e, "Mounts whose time has come could not all be ended; the next round tries again");
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    private FileRecoveryMount? Renew(ProtectedItem item, string pointName, FileRecoveryRequest request)
    {
        var now = time.GetUtcNow();
        var mount = Of(item.Key).Select(live => live.Mount)
            .Where(m => m.Point.Name == pointName && m.EndsAt > now && m.Request.InitiatorName == request.InitiatorName)
            .MaxBy(m => m.StartedAt);
        if (mount is null) return null;
        mount.EndsAt = now + FileRecoveryOptions.Lifetime;
        log.LogInformation("The mount {Mount} of recovery point {Point} lasts until {EndsAt:u}", mount.Id, pointName, mount.EndsAt);
        return mount;
    }

    private async Task<FileRecoveryMount> MountAsync(ProtectedItem item, string pointName, FileRecoveryRequest request, CancellationToken cancellationToken)
    {
        _places.Take(item.Key);
        Live? listed = null;
        var disks = new List<IBlockSource>();
        IDisposable? hold = null;
        try
        {
            hold = holds.Hold(item, pointName);
            var point = await points.FindRestorableAsync(ledger, item, pointName, cancellationToken);
            if (item.Kind == ItemKind.FileShare) throw new BackupRefusedException(BackupRefusal.NotSupported, "A file share has no disks to mount: browse its files ('strongroom files'), or restore them (ItemLevelRestore).");
            if (point.Disks.IsEmpty) throw new BackupRefusedException(BackupRefusal.InvalidInput, $"Recovery point '{point.Name}' holds no disks, so there are no files in it.");
            disks.AddRange(await stores.OpenAsync(item.VaultKey, point, cancellationToken));
            var mount = new FileRecoveryMount(Guid.NewGuid(), item, point, request, time.GetUtcNow());
            await targets.AddAsync(mount, disks, cancellationToken);
            // From here on whoever ends mounts may end it, and nobody else closes what it uses.
            listed = new(mount, disks, hold);
            _live[mount.Id] = listed;
            // It may have been deleted while it was opened, and a server that stops ends what it sees.
            if (_isStopping || await points.FindAsync(item.Key, pointName, cancellationToken) is null) throw item.PointNotFound(pointName);
            log.LogInformation("Recovery point {Point} of {Item} is mounted as {Target} until {EndsAt:u}", pointName, item.NativeName, mount.TargetName, mount.EndsAt);
            return mount;
        }
        catch (Exception e)
        {
            if (listed is not null) await EndAsync(listed, "could not be completed");
            else await CloseAsync(item.Key, disks, hold);
            if (e is StoreException or IOException) throw new BackupRefusedException(BackupRefusal.StorageFailed, $"Recovery point '{pointName}' cannot be mounted: {e.Message}");
            throw;
        }
    }

    private async Task EndAsync(Live live, string why)
    {
        // Whoever takes it off the list ends it; others wait until it has ended.
        if (_live.TryRemove(live.Mount.Id, out _))
        {
            live.Mount.Dispose();
            try { await targets.RemoveAsync(live.Mount); }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogError(e, "The target of mount {Mount} did not end as it should", live.Mount.Id);
            }

            await CloseAsync(live.Mount.ItemKey, live.Disks, live.Hold);
            log.LogInformation("The mount {Mount} of recovery point {Point} {Why}", live.Mount.Id, live.Mount.Point.Name, why);
            live.HasEnded.SetResult();
        }

        await live.HasEnded.Task;
    }

    /// <summary>Gives back all that a mount has taken, whatever goes wrong on the way.</summary>
    private async Task CloseAsync(Guid itemKey, List<IBlockSource> disks, IDisposable? hold)
    {
        foreach (var disk in disks)
        {
            try { await disk.DisposeAsync(); }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogWarning(e, "A disk of a recovery point could not be closed");
            }
        }

        hold?.Dispose();
        _places.Give(itemKey);
    }

    private List<Live> Of(Guid itemKey) => [.. _live.Values.Where(live => live.Mount.ItemKey == itemKey)];

    private async Task<AsyncOperation> AddOperationAsync(ProtectedItem item, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var (id, mount) in _operations)
        {
            if (!_live.ContainsKey(mount)) _operations.TryRemove(id, out _);
        }

        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = item.VaultKey, Subject = item.NativeName, StartedAt = now };
        await operations.AddAsync(operation, cancellationToken);
        return operation;
    }

    private async Task<ProtectedItem> FindItemAsync(Vault vault, string nativeName, CancellationToken cancellationToken) =>
        await items.FindAsync(vault.Key, nativeName, cancellationToken)
        ?? throw new BackupRefusedException(BackupRefusal.ItemNotFound, $"'{nativeName}' is not protected in vault '{vault.Name}'.", nativeName);

    /// <summary>A mount and what it uses.</summary>
    private sealed record Live(FileRecoveryMount Mount, List<IBlockSource> Disks, IDisposable Hold)
    {
        public TaskCompletionSource HasEnded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
