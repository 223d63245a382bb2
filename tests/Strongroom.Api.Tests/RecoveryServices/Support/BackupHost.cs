using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Authorization;
using Strongroom.Api.DataProtection;
using Strongroom.Api.FileBrowsing;
using Strongroom.Api.Insights;
using Strongroom.Api.InstantBoot;
using Strongroom.Api.RecoveryServices;
using Strongroom.Api.Resources;
using Strongroom.Api.Storage.Blobs;
using Strongroom.Api.Tests.Support;
using Strongroom.Arm;
using Strongroom.Backup.Discovery;
using Strongroom.Backup.FileRecovery;
using Strongroom.Backup.FileRecovery.Browsing;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;
using Strongroom.Identity;
using Strongroom.Identity.Keys;
using Strongroom.Identity.Principals;
using Strongroom.Metadata;
using Strongroom.Store;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.RecoveryServices.Support;

/// <summary>
/// Every provider on a real port over the real database, store and job worker, in a temporary folder; only the machines are made of nothing.
/// </summary>
public sealed class BackupHost : IAsyncDisposable
{
    public const string Subscription = "/subscriptions/" + ArmHost.Subscription;
    public const string Lab = Subscription + "/resourceGroups/lab";
    public const string Vaults = Lab + "/providers/Microsoft.RecoveryServices/vaults";

    /// <summary>The vault that <see cref="MakeVaultAsync"/> makes unless told otherwise.</summary>
    public const string Vault = Vaults + "/v1";

    public const string Version = "2024-04-01";

    private readonly ArmHost _host;
    private readonly DirectoryInfo _folder;

    private BackupHost(ArmHost host, DirectoryInfo folder, DiskFabric fabric, IServiceProvider services) => (_host, _folder, Fabric, Services) = (host, folder, fabric, services);

    /// <summary>What the server is made of.</summary>
    public IServiceProvider Services { get; }

    /// <summary>The file of the catalogue.</summary>
    public string DatabaseFile => Path.Combine(_folder.FullName, "strongroom.db");

    public DiskFabric Fabric { get; }

    /// <summary>The file servers.</summary>
    public FakeFileServers FileServers => Services.GetRequiredService<FakeFileServers>();

    /// <summary>The files of every recovery point.</summary>
    public MemoryFiles Files => Services.GetRequiredService<MemoryFiles>();

    public LogSink Log => _host.Log;

    public Microsoft.Extensions.Time.Testing.FakeTimeProvider Time => _host.Time;

    /// <summary>Scheme, host and port.</summary>
    public string Authority => _host.Client.BaseAddress!.GetLeftPart(UriPartial.Authority);

    public IEnumerable<RouteEndpoint> Endpoints => _host.Endpoints;

    /// <summary>Starts the server, with the group <c>lab</c> in it, for anyone who asks.</summary>
    public static async Task<BackupHost> StartAsync()
    {
        BackupHost backup = await StartAsync(isGuarded: false);
        Assert.Equal(201, (await backup.PutAsync(Lab, """{"location":"home"}""")).Status);
        return backup;
    }

    /// <summary>Starts the server, empty, behind the real verification of tokens.</summary>
    public static Task<BackupHost> StartGuardedAsync() => StartAsync(isGuarded: true);

    private static async Task<BackupHost> StartAsync(bool isGuarded)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("strongroom-api-");
        var fabric = new DiskFabric();
        IServiceProvider? services = null;
        ArmHost host = await ArmHost.StartAsync(
            app =>
            {
                services = app.Services;
                MetadataRegistration.MigrateAsync(app.Services, CancellationToken.None).GetAwaiter().GetResult();
                app.MapPlatformProviders();
                app.MapRoles();
                app.MapInsights();
                app.MapRecoveryServices();
                app.MapFileBrowsing();
                app.MapInstantBoot();
                app.MapDataProtectionGuards();
                app.MapBlobs();
            },
            collection =>
            {
                Compose(collection, folder.FullName, fabric);
                if (isGuarded) Guard(collection, folder.FullName);
            },
            isGuarded ? app => app.UseStrongroomIdentity() : null);
        return new BackupHost(host, folder, fabric, services!);
    }

    private static void Guard(IServiceCollection services, string folder)
    {
        services.AddStrongroomIdentity(new IdentityOptions
        {
            TenantId = Guid.Parse(ArmHost.Tenant),
            Keys = SigningKeyRing.Open(Path.Combine(folder, "identity"), TimeProvider.System),
            Principals = new FixedPrincipalStore([]),
            Time = (TimeProvider)services.Single(s => s.ServiceType == typeof(TimeProvider)).ImplementationInstance!,
        });
        services.AddSingleton(sp => new AccessControl(sp.GetRequiredService<IRoleAssignmentStore>(), [Support.Tokens.AdministratorsRole]));
    }

    /// <summary>Makes tokens as the server itself signs them.</summary>
    public Tokens Tokens() => new(Authority, Services.GetRequiredService<IdentityOptions>().Keys, Path.Combine(_folder.FullName, "identity"), Time);

    private static void Compose(IServiceCollection services, string folder, DiskFabric fabric)
    {
        services.AddStrongroomMetadata(Path.Combine(folder, "strongroom.db"));
        services.AddSingleton<IMachineFabric>(fabric);
        services.AddSingleton<IMachineRestorer>(new DiskRestorer(fabric));
        services.AddSingleton<DiskPool>();
        services.AddSingleton<IDiskRestorer>(sp => sp.GetRequiredService<DiskPool>());
        services.AddSingleton<IHostValidator>(new FakeFolders());
        services.AddSingleton(new FakeFileServers());
        services.AddSingleton<IFileServerValidator>(sp => sp.GetRequiredService<FakeFileServers>());
        services.AddSingleton<IFileShareFabric>(sp => sp.GetRequiredService<FakeFileServers>());
        services.AddSingleton<IKeyEncryptionKey>(MasterKeyFile.LoadOrCreate(Path.Combine(folder, "master.key")));
        services.AddSingleton<IVaultPlaces>(new FolderPlaces(Path.Combine(folder, "vaults")));
        // The tests move the time.
        services.AddSingleton(new VaultStoreOptions { GuardsClock = false });
        services.AddSingleton<IVaultStores, VaultStores>();
        services.AddSingleton(new StorageAccountFolders(Path.Combine(folder, "storage")));
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
        services.AddFileRecovery(new() { Listen = new(System.Net.IPAddress.Loopback, 0), OverlayFolder = Path.Combine(folder, "overlays") });
        services.AddSingleton<JobSignal>();
        services.AddSingleton(new JobWorkerOptions());
        services.AddSingleton<IJobHandler, BackupHandler>();
        services.AddSingleton<IInstantBooter, NoBooter>();
        services.AddSingleton<InstantBoots>();
        services.AddSingleton<IJobHandler, RestoreHandler>();
        services.AddSingleton<IJobHandler, DeleteHandler>();
        services.AddHostedService<JobWorker>();
        services.AddRestoreVerification();
        services.AddSingleton(new FakeVerifier());
        services.AddSingleton<IMachineVerifier>(sp => sp.GetRequiredService<FakeVerifier>());
        services.AddPlatformProviders();
        services.AddRoles();
        services.AddInsights();
        services.AddRecoveryServices();
        services.AddFileBrowsing();
        services.AddSingleton(new MemoryFiles());
        services.AddSingleton<IFileReader>(sp => sp.GetRequiredService<MemoryFiles>());
        services.AddDataProtectionGuards();
    }

    public Task<Answer> GetAsync(string path, string apiVersion = Version) => SendAsync("GET", path, null, apiVersion);

    public Task<Answer> PutAsync(string path, string body, string apiVersion = Version) => SendAsync("PUT", path, body, apiVersion);

    public Task<Answer> PatchAsync(string path, string body) => SendAsync("PATCH", path, body);

    public Task<Answer> PostAsync(string path, string? body = null) => SendAsync("POST", path, body);

    public Task<Answer> DeleteAsync(string path, string apiVersion = Version) => SendAsync("DELETE", path, null, apiVersion);

    public Task<Answer> SendAsync(string method, string path, string? body = null, string apiVersion = Version) =>
        _host.SendAsync(method, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}api-version={apiVersion}", body);

    /// <summary>Sends a path with its query as it is.</summary>
    public Task<Answer> SendRawAsync(string method, string path, string? body = null, string contentType = "application/json") => _host.SendAsync(method, path, body, contentType);

    public Task<Answer> SendAsync(HttpRequestMessage request) => _host.SendAsync(request);

    /// <summary>The answer itself, with its body still to come; the caller disposes it.</summary>
    public Task<HttpResponseMessage> RespondAsync(HttpRequestMessage request) => _host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);

    /// <summary>Follows a URL that the server gave out, as it is.</summary>
    public Task<Answer> FollowAsync(string? url) => _host.SendAsync(new HttpRequestMessage(HttpMethod.Get, url ?? throw new ArgumentNullException(nameof(url))));

    public Task<byte[]> DownloadAsync(string url) => _host.Client.GetByteArrayAsync(new Uri(url));

    public async Task MakeVaultAsync(string path = Vault, string location = "home") =>
        Assert.Equal(201, (await PutAsync(path, $$$"""{"location":"{{{location}}}","sku":{"name":"RS0","tier":"Standard"},"properties":{}}""")).Status);

    /// <summary>Waits until the operation of a vault is over and answers its last status.</summary>
    public async Task<Answer> SettledAsync(Answer accepted)
    {
        for (int i = 0; i < 1000; i++)
        {
            Answer status = await FollowAsync(accepted.Header("Azure-AsyncOperation"));
            Assert.Equal(200, status.Status);
            if ((string?)status.Body!["status"] != "InProgress") return status;
            await Task.Delay(20);
        }

        throw new TimeoutException("The operation never ended.");
    }

    /// <summary>Waits for the end of a job and answers it.</summary>
    public async Task<JsonNode> WaitAsync(string vault, string job)
    {
        DateTime limit = DateTime.UtcNow.AddSeconds(60);
        while (true)
        {
            Answer answer = await GetAsync($"{vault}/backupJobs/{job}");
            Assert.Equal(200, answer.Status);
            if ((string?)answer.Body!["properties"]!["status"] is not ("InProgress" or "Cancelling")) return answer.Body;
            Assert.True(DateTime.UtcNow < limit, "The job never ended: " + answer.Body.ToJsonString());
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        _folder.Delete(true);
    }
}
