using System.Net;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Strongroom.Arm;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;
using Strongroom.Metadata;
using Strongroom.Metadata.Tests.Support;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Support;

/// <summary>The domain on a real database, with stores and machines in memory.</summary>
internal sealed class Rig : IAsyncDisposable
{
    public const string Subscription = "11111111-2222-3333-4444-555555555555";
    public const string AccountId = $"/subscriptions/{Subscription}/resourceGroups/Lab/providers/Microsoft.Storage/storageAccounts/restores1";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("backup-test-");
    private readonly ServiceProvider _services;

    private Rig()
    {
        _services = new ServiceCollection().AddStrongroomMetadata(Path.Combine(_folder.FullName, "db")).ConfigureDbContext<StrongroomContext>(o => o.AddInterceptors(Commands)).BuildServiceProvider();
        Key = MasterKeyFile.LoadOrCreate(Path.Combine(_folder.FullName, "key"));
        Stores = new(Key, Time);
        Restorer = new(Fabric);
        Pool = new(() => Resources);
        Accounts = new(StorageFolder);
        Ledger = Get<IJobLedger>();
        FileRecovery = new() { Listen = new(IPAddress.Loopback, 0), OverlayFolder = Path.Combine(Folder, "overlays") };
        Targets = new(FileRecovery, NullLogger<RecoveryTargets>.Instance);
        Mounts = new(Items, Points, Ledger, Operations, Stores, Holds, Targets, FileRecovery, Time, NullLogger<FileRecoveryMounts>.Instance);
    }

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
    public FakeFabric Fabric { get; } = new();
    public FakeRestorer Restorer { get; }
    public FolderShares Shares { get; } = new();
    public FakePool Pool { get; }
    public FakeBooter Booter { get; } = new();
    public JobSignal Signal { get; } = new();
    public MasterKeyFile Key { get; }
    public MemoryVaultStores Stores { get; }
    public IVaultPlaces Places => new FolderPlaces(Path.Combine(Folder, "vaults"));
    public StorageAccountFolders Accounts { get; }
    public string Folder => _folder.FullName;
    public string StorageFolder => Path.Combine(_folder.FullName, "storage");

    /// <summary>Counts what the database is asked.</summary>
    public CommandCounter Commands { get; } = new();

    public PointHolds Holds { get; } = new();
    public FileRecoveryOptions FileRecovery { get; }
    public RecoveryTargets Targets { get; }
    public FileRecoveryMounts Mounts { get; }

    /// <summary>The ledger that new workers and admissions use; a test may put its own before the real one.</summary>
    public IJobLedger Ledger { get; set; }

    public IItemRepository Items => Get<IItemRepository>();
    public IContainerRepository Containers => Get<IContainerRepository>();
    public IVaultRepository Vaults => Get<IVaultRepository>();
    public IRecoveryPointRepository Points => Get<IRecoveryPointRepository>();
    public IOperationRepository Operations => Get<IOperationRepository>();
    public IPolicyRepository Policies => Get<IPolicyRepository>();
    public IResourceStore Resources => Get<IResourceStore>();
    public PointListing Listing => new(Points, Ledger, Policies, Time);
    public JobAdmission Admission => new(Items, Points, Shares, Ledger, Operations, Signal, Time);
    public ItemProtection Protection => ProtectionWith(Items);
    public VaultLifecycle Lifecycle => new(Vaults, Items, Containers, Stores, Places, Time, NullLogger<VaultLifecycle>.Instance);
    public StoreRules Rules => new(Vaults, Stores, Items, Points, Policies, NullLogger<StoreRules>.Instance);
    public PointPruning Pruning => new(Get<IItemAgenda>(), Items, Points, Vaults, Stores, Holds, NullLogger<PointPruning>.Instance);
    public VerificationSchedule Verifications => new(Points, Get<IPointVerificationRepository>(), Ledger, NullLogger<VerificationSchedule>.Instance);
    public BackupHandler BackupHandler => new(Items, Vaults, Points, Policies, Fabric, Stores, Time, NullLogger<BackupHandler>.Instance);
    public RestoreHandler RestoreHandler => new(Items, Points, Stores, Accounts, Resources, Fabric, Restorer, Pool, Boots, Time);
    public InstantBoots Boots => new(Stores, Resources, Ledger, Holds, Booter, Time, NullLogger<InstantBoots>.Instance) { RetryEvery = TimeSpan.FromMilliseconds(20), LookEvery = TimeSpan.FromMilliseconds(20) };
    public ShareBackupHandler ShareBackupHandler => new(Items, Vaults, Points, Policies, Shares, Stores, Time, NullLogger<ShareBackupHandler>.Instance);
    public ShareRestoreHandler ShareRestoreHandler => new(Items, Points, Shares, Stores, Time);
    public SourceDiscovery Discovery => new(Fabric, Shares, Get<IDiscoveryRepository>(), Items, Containers, Operations, Time);
    public ContainerRegistration Registration => new(Containers, Vaults, Shares, Operations, Time);
    public DeleteHandler DeleteHandler => new(Items, Points, Stores, Ledger, Mounts, Fabric, Shares, Time, NullLogger<DeleteHandler>.Instance);

    public static async Task<Rig> NewAsync()
    {
        var rig = new Rig();
        await MetadataRegistration.MigrateAsync(rig._services, CancellationToken.None);
        return rig;
    }

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public ItemProtection ProtectionWith(IItemRepository items) =>
        new(items, Policies, Vaults, [new MachineSource(Fabric), new ShareSource(Shares, Containers)], Points, Ledger, Operations, Signal, Time);

    public async Task<Vault> NewVaultAsync(string name = "vault1", string location = "home", bool softDelete = true) =>
        (await Lifecycle.PutAsync(Subscription, "Lab", name, _ => new Vault
        {
            Key = default,
            SubscriptionId = Subscription,
            ResourceGroup = "Lab",
            Name = name,
            Location = location,
            SkuName = "RS0",
            CreatedAt = default,
            ChangedAt = default,
            Config = new() { SoftDeleteFeatureState = softDelete ? "Enabled" : "Disabled" },
        }, Token)).Vault;

    public FakeMachine NewMachine(string name, params FakeDisk[] disks)
    {
        var machine = new FakeMachine(name);
        machine.Disks.AddRange(disks);
        Fabric.Machines.Add(machine);
        return machine;
    }

    public async Task<ProtectedItem> ProtectAsync(Vault vault, FakeMachine machine, DiskSelection? disks = null)
    {
        await Protection.PutAsync(vault, Request(machine, disks: disks), Token);
        return (await Items.FindAsync(vault.Key, NativeName(machine), Token))!;
    }

    public static string NativeName(FakeMachine machine) => ItemNames.NativeName("Lab", machine.Name);

    public static ProtectionRequest Request(
        FakeMachine machine, string? policy = "DefaultPolicy", string? state = null, bool rehydrate = false, DiskSelection? disks = null) =>
        new(NativeName(machine), machine.Describe().ResourceId, policy, state, rehydrate, disks);

    public async Task AddStorageAccountAsync()
    {
        await Resources.PutAsync(new TrackedResource
        {
            Id = ResourceId.Parse(AccountId),
            Location = "home",
            Properties = [],
            ETag = "e",
            CreatedAt = Time.GetUtcNow(),
            ChangedAt = Time.GetUtcNow(),
        }, null, Token);
    }

    public Task AddGroupAsync(string name) =>
        Resources.PutGroupAsync(new(Subscription, name, "home", ResourceTags.None, Time.GetUtcNow(), Time.GetUtcNow()), Token);

    public async Task<Job> BackUpAsync(Vault vault, FakeMachine machine, DateTimeOffset? expiresAt = null)
    {
        Time.Advance(TimeSpan.FromMinutes(10));
        var operation = await Admission.BackUpAsync(vault, NativeName(machine), expiresAt, Token);
        return await RunAsync(vault, operation);
    }

    public async Task<Job> RestoreAsync(Vault vault, FakeMachine machine, RecoveryPoint point, int[]? luns = null, string? group = null)
    {
        var request = new RestoreRequest(point.Name, AccountId, luns is null ? null : [.. luns], group, "https://host:1");
        return await RestoreAsync(vault, machine, request);
    }

    public async Task<Job> RestoreAsync(Vault vault, FakeMachine machine, RestoreRequest request) =>
        await RunAsync(vault, await Admission.RestoreAsync(vault, NativeName(machine), request.RecoveryPoint, request, Token));

    /// <summary>Runs a worker until the operation's job is over.</summary>
    public async Task<Job> RunAsync(Vault vault, AsyncOperation operation)
    {
        await using var worker = await StartWorkerAsync();
        return await EndOfAsync(vault, operation.JobId!.Value);
    }

    public async Task<RunningWorker> StartWorkerAsync(JobWorkerOptions? options = null, params IJobHandler[] handlers)
    {
        var worker = new JobWorker(Ledger, handlers.Length > 0 ? handlers : [BackupHandler, RestoreHandler, DeleteHandler, ShareBackupHandler, ShareRestoreHandler], Signal, options ?? new(), Time, NullLogger<JobWorker>.Instance);
        await worker.StartAsync(CancellationToken.None);
        return new(worker);
    }

    /// <summary>Waits for a job to be over; fails after a while.</summary>
    public async Task<Job> EndOfAsync(Vault vault, Guid jobId)
    {
        Job? job = null;
        await UntilAsync(async () => !(job = await Get<IJobLedger>().FindAsync(vault.Key, jobId, Token))!.IsLive);
        return job!;
    }

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(15, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await Mounts.StopAsync(CancellationToken.None);
        Mounts.Dispose();
        await Stores.DisposeAsync();
        Signal.Dispose();
        await _services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        _folder.Delete(true);
    }
}

/// <summary>A worker that is stopped when it is disposed.</summary>
internal sealed class RunningWorker(JobWorker worker) : IAsyncDisposable
{
    private bool _isStopped;

    public async ValueTask DisposeAsync()
    {
        if (_isStopped) return;
        _isStopped = true;
        await worker.StopAsync(CancellationToken.None);
        worker.Dispose();
    }
}
