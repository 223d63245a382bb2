using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Strongroom.Api.Authorization;
using Strongroom.Api.DataProtection;
using Strongroom.Api.FileBrowsing;
using Strongroom.Api.Insights;
using Strongroom.Api.InstantBoot;
using Strongroom.Api.RecoveryServices;
using Strongroom.Api.Resources;
using Strongroom.Api.Storage.Blobs;
using Strongroom.Arm;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Lifecycle;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;
using Strongroom.Hosting;
using Strongroom.Identity;
using Strongroom.Identity.Keys;
using Strongroom.Metadata;
using Strongroom.Store;
using Strongroom.Store.Locations;
using Strongroom.TimeTravel;
using Strongroom.Workloads.FileShares;
using Strongroom.Workloads.FileShares.Smb;
using Strongroom.Workloads.VirtualMachines;
using Strongroom.Workloads.VirtualMachines.Files;
using Strongroom.Workloads.VirtualMachines.Folder;
using Strongroom.Workloads.VirtualMachines.Folder.Restores;
using Strongroom.Workloads.VirtualMachines.Libvirt;
using Strongroom.Workloads.VirtualMachines.Libvirt.InstantBoot;
using Strongroom.Workloads.VirtualMachines.Libvirt.Live;
using Strongroom.Workloads.VirtualMachines.Libvirt.Restores;
using Strongroom.Workloads.VirtualMachines.Libvirt.Verification;

namespace Strongroom.Server;

/// <summary>A running server: the composition root.</summary>
/// <remarks>
/// Start: 1. own the data folder; 2. certificate, administrator, keys; 3. database; 4. what a crash left behind; 5. listen and work.
/// Dispose: stop listening, let requests end, interrupt jobs (they stay live), close stores, give the folder up.
/// </remarks>
internal sealed class StrongroomServer : IAsyncDisposable
{
    /// <summary>Plaintext of disks that are read at random, of all vaults together; taken as it is needed.</summary>
    private const long ReadCacheBytes = 256 << 20;

    // hier(7): what programs keep; root's, and all users get through it.
    private const string MachineReaderFolder = "/var/lib/strongroom-readers";

    private readonly DataFolder _data;
    private readonly TlsCertificates _certificates;
    private readonly WebApplication _app;

    private StrongroomServer(DataFolder data, TlsCertificates certificates, Administrator administrator, WebApplication app)
    {
        (_data, _certificates, _app) = (data, certificates, app);
        Administrator = administrator;
    }

    public Administrator Administrator { get; }

    public string AdministratorFile => _data.AdministratorFile;

    /// <summary>What the operator should know of this start.</summary>
    public IReadOnlyList<string> Notes => _app.Services.GetService<ClockMover>() is { } mover ? [.. _certificates.Notes, $"The clock of this data folder is a tester's, and says {mover.Now:yyyy-MM-dd HH:mm:ss} UTC."] : _certificates.Notes;

    /// <exception cref="DataFolderException">Another server owns the folder, or it cannot be used.</exception>
    /// <exception cref="ArgumentException">An option is wrong.</exception>
    /// <exception cref="InvalidDataException">The database or another file of the data folder is damaged.</exception>
    /// <exception cref="IOException">The address is in use, or a file cannot be read or written.</exception>
    public static async Task<StrongroomServer> StartAsync(ServerOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        ProcessFiles.KeepPrivate();
        // Step 1.
        var data = DataFolder.Open(options.DataFolder);
        TlsCertificates? certificates = null;
        WebApplication? app = null;
        try
        {
            // Step 2. The clock comes first: it must be known before anything is made in a new folder.
            var time = ClockFile.Open(data, options.TravelsTime, options.StartAt);
            // The certificate is judged by the clients' clocks, so it never sees a tester's.
            var names = TlsNames.Of(Environment.MachineName, [options.Endpoint.DnsSafeHost, .. options.TlsNames]);
            certificates = TlsCertificates.Open(data.TlsFolder, names, Environment.MachineName, TimeProvider.System);
            var administrator = Administrator.Open(data, options.Endpoint, certificates.AuthorityFile);
            var masterKey = MasterKeyFile.LoadOrCreate(data.MasterKeyFile);
            var isStarted = new StrongBox<bool>();
            app = Build(options, data, certificates, administrator, masterKey, time, isStarted);

            // Step 3.
            try
            {
                await MetadataRegistration.MigrateAsync(app.Services, cancellationToken);
            }
            catch (DbException e)
            {
                throw new InvalidDataException($"The database '{data.DatabaseFile}' cannot be used: {e.Message} Restore the data folder from a copy.", e);
            }

            // Step 4.
            var stores = app.Services.GetRequiredService<VaultStores>();
            var keys = app.Services.GetRequiredService<IVaultPlaces>().ListKeys();
            await app.Services.GetRequiredService<VaultLifecycle>().SweepAsync(keys, cancellationToken);
            await RequireKeyAsync(stores, keys, data, cancellationToken);
            app.Services.GetRequiredService<StorageAccountFolders>().SweepDrafts();
            await app.Services.GetRequiredService<IMachineRestorer>().SweepAsync(administrator.SubscriptionId.ToString(), cancellationToken);

            // Step 5.
            await app.StartAsync(cancellationToken);
            isStarted.Value = true;
            return new(data, certificates, administrator, app);
        }
        catch
        {
            if (app is not null) await app.DisposeAsync();
            certificates?.Dispose();
            data.Dispose();
            throw;
        }
    }

    /// <summary>Returns when the process is asked to end (SIGTERM, Ctrl-C).</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken) => _app.WaitForShutdownAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
        _certificates.Dispose();
        // Last: from here on another server may open the folder.
        _data.Dispose();
    }

    /// <summary>A master key that does not open the stores would seal new vaults that nobody can open once the right one is back.</summary>
    private static async Task RequireKeyAsync(VaultStores stores, IEnumerable<Guid> keys, DataFolder data, CancellationToken cancellationToken)
    {
        foreach (var key in keys)
        {
            try
            {
                if (await stores.FindAsync(key, cancellationToken) is null) continue;
                return;
            }
            catch (StoreException e) when (e.Kind == StoreErrorKind.WrongKey)
            {
                throw new InvalidDataException($"'{data.MasterKeyFile}' is not the key of the vaults in '{data.VaultsFolder}': put the right one back. ({e.Message})", e);
            }
            catch (Exception e) when (e is StoreException or IOException)
            {
                // A damaged vault says nothing about the key, and must not keep the others from being used.
            }
        }
    }

    private static WebApplication Build(
        ServerOptions options, DataFolder data, TlsCertificates certificates, Administrator administrator, MasterKeyFile masterKey, TimeProvider time, StrongBox<bool> isStarted)
    {
        // No configuration files, environment or content root: the options are all there is.
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = "strongroom" });
        builder.Logging.SetMinimumLevel(options.IsQuiet ? LogLevel.Warning : LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            // Until the server is started its failure is an exception, which the caller tells in a sentence.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => isStarted.Value && level >= LogLevel.Warning)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
                console.UseUtcTimestamp = true;
                console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
            });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(20));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options, certificates));
        AddServices(builder.Services, options, data, certificates.ReadAuthority(), administrator, masterKey, time);

        var app = builder.Build();
        app.UseArmPipeline(inner => inner.UseStrongroomIdentity());
        app.UseDiskRoomErrors();
        app.MapStrongroomIdentity();
        app.MapHealth();
        app.MapPlatformProviders();
        app.MapRoles();
        app.MapInsights();
        app.MapRecoveryServices();
        app.MapFileBrowsing();
        app.MapInstantBoot();
        app.MapDataProtectionGuards();
        app.MapBlobs();
        if (time is MovableClock) app.MapClock();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options, TlsCertificates certificates)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = 4096;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(30);
        foreach (var endPoint in options.EndPoints()) kestrel.Listen(endPoint, listen => listen.UseHttps(https => certificates.Configure(https)));
    }

    private static OwnFolders OwnFolders(ServerOptions options, DataFolder data) =>
        new([data.Root, .. options.Storages.Select(storage => storage.Location).Append(options.VaultStorage).OfType<FolderLocation>().Select(folder => folder.Path)]);

    private static void AddServices(IServiceCollection services, ServerOptions options, DataFolder data, string? authorityPem, Administrator administrator, MasterKeyFile masterKey, TimeProvider time)
    {
        services.AddSingleton(time);
        if (time is MovableClock clock)
        {
            services.AddSingleton(clock);
            services.AddSingleton(new ClockFile(data.ClockFile));
            services.AddSingleton<ClockMover>();
        }

        services.AddSingleton(data);
        services.AddRouting();
        services.AddSingleton(new ArmOptions
        {
            TenantId = administrator.TenantId.ToString(),
            Subscriptions = [new(administrator.SubscriptionId.ToString(), "Strongroom")],
            Locations = [.. options.Locations.Select(l => new ArmLocation(l, char.ToUpperInvariant(l[0]) + l[1..]))],
            RetryAfterSeconds = options.RetryAfterSeconds,
            RequestsPerHour = options.RequestsPerHour == 0 ? null : options.RequestsPerHour,
            PublicUrl = options.PublicUrl,
        });
        services.AddStrongroomIdentity(new IdentityOptions
        {
            TenantId = administrator.TenantId,
            Endpoint = administrator.Endpoint,
            PublicUrl = options.PublicUrl,
            Keys = SigningKeyRing.Open(data.IdentityFolder, TimeProvider.System),
            Principals = new Principals(administrator.ToServicePrincipal(), new(data.PrincipalsFile)),
            CloudName = options.CloudName,
            Locations = options.Locations,
        });
        services.AddStrongroomMetadata(data.DatabaseFile);
        services.AddSingleton(sp => new AccessControl(sp.GetRequiredService<IRoleAssignmentStore>(), [administrator.ToRoleAssignment()]));

        // What is protected.
        services.AddSingleton(new AllowedRoots(options.AllowedPaths.Select(Path.GetFullPath)));
        services.AddSingleton<IFolderHosts, FolderHostsInResources>();
        services.AddSingleton<FolderFabric>();
        services.AddSingleton<FolderRestorer>();
        services.AddSingleton(sp => new HostKind("Folder", sp.GetRequiredService<FolderFabric>(), sp.GetRequiredService<FolderRestorer>()));
        services.AddSingleton<AllHosts>();
        services.AddSingleton<IMachineFabric>(sp => sp.GetRequiredService<AllHosts>());
        services.AddSingleton<IMachineRestorer>(sp => sp.GetRequiredService<AllHosts>());
        services.AddSingleton<IDiskRestorer>(sp => sp.GetRequiredService<AllHosts>());
        services.AddSingleton<IInstantBooter>(sp => sp.GetRequiredService<AllHosts>());
        services.AddSingleton<IHostValidator, FolderHostValidator>();
        services.AddSingleton(options.LibvirtHosts());
        services.AddSingleton(sp => new HostCredentials(data.CredentialsFolder, sp.GetRequiredService<ILogger<HostCredentials>>()));
        services.AddSingleton<ILibvirtCredentials>(sp => sp.GetRequiredService<HostCredentials>());
        services.AddSingleton<ILibvirtHosts, LibvirtHostsInResources>();
        services.AddSingleton<IHostValidator, LibvirtHostValidator>();
        services.AddSingleton(new FreezeGuardOptions());
        services.AddSingleton<LibvirtFabric>();
        services.AddSingleton<IHostProbe>(sp => sp.GetRequiredService<LibvirtFabric>());
        services.AddSingleton(sp => new LibvirtRestorer(
            sp.GetRequiredService<ILibvirtHosts>(), sp.GetRequiredService<LibvirtFabric>(), data.StagingFolder, data.ServerId, sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<LibvirtRestorer>>()));
        services.AddSingleton(sp => new LibvirtBooter(
            sp.GetRequiredService<ILibvirtHosts>(), sp.GetRequiredService<LibvirtFabric>(), data.StagingFolder, data.ServerId, sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<LibvirtBooter>>()));
        services.AddSingleton(sp => new HostKind(LibvirtFabric.Kind, sp.GetRequiredService<LibvirtFabric>(), sp.GetRequiredService<LibvirtRestorer>(), sp.GetRequiredService<LibvirtBooter>(), sp.GetRequiredService<LibvirtRestorer>()));

        services.AddSingleton<ILocalFileServers, FileServersInResources>();
        services.AddSingleton<IFileServerValidator, LocalFileServerValidator>();
        services.AddSingleton(sp => new LocalFileShares(
            sp.GetRequiredService<ILocalFileServers>(), sp.GetRequiredService<AllowedRoots>(), OwnFolders(options, data), data.ServerId, sp.GetRequiredService<BoundedCalls>(), sp.GetRequiredService<ILogger<LocalFileShares>>()));
        services.AddSingleton(options.SmbServers());
        services.AddSingleton<ISmbFileServers, SmbServersInResources>();
        services.AddSingleton<IFileServerValidator, SmbFileServerValidator>();
        // The machine's own clock, never a tester's: it is compared with the times of files.
        services.AddSingleton(sp => new SmbFileShares(sp.GetRequiredService<ISmbFileServers>(), new(), TimeProvider.System, sp.GetRequiredService<ILogger<SmbFileShares>>()));
        services.AddSingleton<IFileShareFabric>(sp => new AllFileServers([sp.GetRequiredService<LocalFileShares>(), sp.GetRequiredService<SmbFileShares>()]));

        // Where it goes.
        services.AddSingleton<IKeyEncryptionKey>(masterKey);
        services.AddSingleton(new ConfiguredPlaces(new(data.VaultsFolder), options.VaultStorage, options.Storages, new(options.StorageLimits, TimeProvider.System), TimeProvider.System));
        services.AddSingleton<IVaultPlaces>(sp => sp.GetRequiredService<ConfiguredPlaces>());
        services.AddSingleton<StorageHealth>();
        // A tester's clock is moved on purpose; a machine's should not be.
        services.AddSingleton(new VaultStoreOptions { GuardsClock = time is not MovableClock, ReadCache = new(ReadCacheBytes) });
        services.AddSingleton<VaultStores>();
        services.AddSingleton<IVaultStores>(sp => sp.GetRequiredService<VaultStores>());
        services.AddSingleton(new StorageAccountFolders(data.StorageFolder));

        // How its files are looked at.
        services.AddSingleton(new FileReaderOptions { UsesKvm = options.FileReaderUsesKvm, Folder = data.ReaderFolder, MachineFolder = MachineReaderFolder });
        services.AddSingleton<IFileReader, FileReaders>();

        // What is done with it.
        services.AddSingleton<VaultLifecycle>();
        services.AddSingleton<StoreRules>();
        services.AddSingleton<VaultUsages>();
        services.AddSingleton<IItemSource, MachineSource>();
        services.AddSingleton<ItemProtection>();
        services.AddFileShareProtection();
        services.AddSingleton<PolicyAdministration>();
        services.AddSingleton<SourceDiscovery>();
        services.AddSingleton<JobAdmission>();
        services.AddSingleton<PointListing>();
        services.AddFileRecovery(new()
        {
            Listen = options.IscsiEndPoint(),
            TargetAddress = options.IscsiAddress,
            Portal = options.Portal(),
            AuthorityPem = authorityPem,
            OverlayFolder = data.OverlayFolder,
        });
        services.AddSingleton<JobSignal>();
        services.AddSingleton(new JobWorkerOptions { MaxConcurrentJobs = options.MaxJobs });
        services.AddSingleton<IJobHandler, BackupHandler>();
        services.AddSingleton<InstantBoots>();
        services.AddSingleton<IJobHandler, RestoreHandler>();
        services.AddSingleton<IJobHandler, DeleteHandler>();
        services.AddHostedService<JobWorker>();
        services.AddRestoreVerification();
        services.AddSingleton<IMachineVerifier>(sp => new LibvirtVerifier(
            sp.GetRequiredService<ILibvirtHosts>(), sp.GetRequiredService<LibvirtFabric>(), data.VerificationFolder, sp.GetRequiredService<TimeProvider>(), sp.GetRequiredService<ILogger<LibvirtVerifier>>()));
        services.AddSingleton(new MaintenanceOptions { Every = TimeSpan.FromHours(options.CollectEveryHours), Grace = TimeSpan.FromHours(options.CollectGraceHours), Retains = options.RetainsLocked });
        services.AddHostedService<VaultMaintenance>();

        // Twice what is worked on, so that nobody waits for a job while others wait for their time.
        // A clock that is moved does what items are due for at their very times; between moves they are looked at by real time.
        services.AddSingleton(time is MovableClock
            ? new LifecycleOptions { Every = TimeSpan.FromSeconds(1), Ticks = TimeProvider.System, MaxLiveJobs = 2 * options.MaxJobs }
            : new LifecycleOptions { Spread = TimeSpan.FromMinutes(options.ScheduleSpreadMinutes), MaxLiveJobs = 2 * options.MaxJobs });
        services.AddSingleton<PointPruning>();
        services.AddSingleton<ItemLifecycle>();
        services.AddHostedService<LifecycleService>();

        services.AddPlatformProviders();
        services.AddRoles();
        services.AddInsights();
        services.AddRecoveryServices();
        services.AddFileBrowsing();
        services.AddDataProtectionGuards();
    }
}
