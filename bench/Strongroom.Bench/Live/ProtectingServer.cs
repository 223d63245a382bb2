using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Bench.Live;

/// <summary>A server in a process of its own that protects a machine, with its vault in its data folder.</summary>
internal sealed class ProtectingServer : IAsyncDisposable
{
    private static readonly TimeSpan JobLimit = TimeSpan.FromHours(1);

    private readonly ServerProcess _server;
    private readonly ArmClient _client;
    private readonly Lab _lab;

    private ProtectingServer(ServerProcess server, ArmClient client, Lab lab) => (_server, _client, _lab) = (server, client, lab);

    public int ProcessId => _server.ProcessId;

    /// <summary>Starts one, and makes what a backup needs: group, host, vault and protected item.</summary>
    public static async Task<ProtectingServer> StartAsync(string executable, string dataFolder, LiveScene scene, CancellationToken cancellationToken)
    {
        var host = scene.Machine.Host;
        var server = await ServerProcess.StartAsync(
            dataFolder, scene.Folder, ["--allow-libvirt", host.Uri, "--libvirt-scratch", host.Folders.Root], cancellationToken, executable);
        try
        {
            var client = await ArmClient.SignInAsync(server, cancellationToken);
            var protecting = new ProtectingServer(server, client, new(server.Admin.SubscriptionId, Machine: scene.Machine.Name));
            await protecting.ProtectAsync(scene, cancellationToken);
            return protecting;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Backs the machine up.</summary>
    /// <returns>The job, which has completed.</returns>
    /// <exception cref="InvalidOperationException">It has not.</exception>
    public async Task<JsonNode> BackUpAsync(CancellationToken cancellationToken)
    {
        var operation = await _client.ChangeAsync(HttpMethod.Post, _lab.ItemUrl("backup"), Lab.BackupBody(TimeProvider.System), cancellationToken);
        var job = await Jobs.WaitAsync(_client, _lab, operation.Text("properties", "jobId")!, JobLimit, cancellationToken);
        return Jobs.Status(job) == "Completed" ? job : throw new InvalidOperationException($"{job.ToJsonString()}\n{_server.LogTail}");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    private async Task ProtectAsync(LiveScene scene, CancellationToken cancellationToken)
    {
        var host = scene.Machine.Host;
        await _client.ChangeAsync(HttpMethod.Put, _lab.GroupUrl, new JsonObject { ["location"] = _lab.Location }, cancellationToken);
        await _client.ChangeAsync(HttpMethod.Put, _lab.HostUrl, _lab.LibvirtHostBody(host.Uri, host.Folders.Scratch), cancellationToken);
        await _client.ChangeAsync(HttpMethod.Put, $"{_lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(_lab.Location), cancellationToken);
        await _client.ChangeAsync(HttpMethod.Post, _lab.VaultUrl("backupFabrics/Azure/refreshContainers"), null, cancellationToken);
        var operation = await _client.ChangeAsync(HttpMethod.Put, _lab.ItemUrl(), _lab.ProtectBody(), cancellationToken);
        await Jobs.CompletedAsync(_client, _lab, operation, cancellationToken);
    }
}
