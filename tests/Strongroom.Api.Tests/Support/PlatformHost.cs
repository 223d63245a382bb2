using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Machines;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Testing;

namespace Strongroom.Api.Tests.Support;

/// <summary>The providers around backup on a real port, with hosts and a vault provider made of nothing.</summary>
public sealed class PlatformHost : IAsyncDisposable
{
    public const string Subscription = "/subscriptions/" + ArmHost.Subscription;
    public const string Lab = Subscription + "/resourceGroups/lab";

    private readonly ArmHost _host;
    private readonly string _storageRoot;

    private PlatformHost(ArmHost host, FakeFabric fabric, FakeFileServers fileServers, FakeVaults vaults, string storageRoot)
    {
        _host = host;
        _storageRoot = storageRoot;
        Blobs = new StorageAccountFolders(storageRoot);
        Fabric = fabric;
        FileServers = fileServers;
        Vaults = vaults;
    }

    public FakeFabric Fabric { get; }

    public FakeFileServers FileServers { get; }

    public FakeVaults Vaults { get; }

    /// <summary>What is stored in the storage accounts.</summary>
    public StorageAccountFolders Blobs { get; }

    public InMemoryResourceStore Store => _host.Store;

    public LogSink Log => _host.Log;

    /// <summary>Everything that is mapped.</summary>
    public IEnumerable<RouteEndpoint> Endpoints => _host.Endpoints;

    public static async Task<PlatformHost> StartAsync(Action<IServiceCollection>? configure = null)
    {
        var fabric = new FakeFabric();
        var fileServers = new FakeFileServers();
        var vaults = new FakeVaults();
        string storageRoot = Directory.CreateTempSubdirectory("strongroom-api-tests-").FullName;
        ArmHost host = await ArmHost.StartAsync(
            app => app.MapPlatformProviders(),
            services =>
            {
                services.AddPlatformProviders();
                services.AddSingleton<IMachineFabric>(fabric);
                services.AddSingleton<IHostValidator>(new FakeFolders());
                services.AddSingleton<IFileServerValidator>(fileServers);
                services.AddSingleton<IFileShareFabric>(fileServers);
                services.AddSingleton<IResourceProvider>(vaults);
                services.AddSingleton(new StorageAccountFolders(storageRoot));
                configure?.Invoke(services);
            });
        var platform = new PlatformHost(host, fabric, fileServers, vaults, storageRoot);
        Answer answer = await platform.PutAsync(Lab, """{"location":"home"}""");
        Assert.Equal(201, answer.Status);
        return platform;
    }

    public Task<Answer> GetAsync(string path, string apiVersion = "2021-04-01") => SendAsync("GET", path, null, apiVersion);

    public Task<Answer> PutAsync(string path, string body) => SendAsync("PUT", path, body);

    public Task<Answer> PatchAsync(string path, string body) => SendAsync("PATCH", path, body);

    public Task<Answer> DeleteAsync(string path) => SendAsync("DELETE", path);

    public Task<Answer> PostAsync(string path, string? body = null) => SendAsync("POST", path, body);

    public Task<Answer> SendAsync(string method, string path, string? body = null, string apiVersion = "2021-04-01") =>
        _host.SendAsync(method, $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}api-version={apiVersion}", body);

    /// <summary>Sends a path with its query as it is.</summary>
    public Task<Answer> SendRawAsync(string method, string path, string? body, string contentType) => _host.SendAsync(method, path, body, contentType);

    /// <summary>Follows a URL that the server gave out, as it is.</summary>
    public Task<Answer> FollowAsync(string url) => _host.SendAsync(new HttpRequestMessage(HttpMethod.Get, url));

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        Directory.Delete(_storageRoot, true);
    }
}
