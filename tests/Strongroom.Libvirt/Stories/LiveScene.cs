using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;
using Strongroom.Libvirt.Checks;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Libvirt.Stories;

/// <summary>A machine that runs on a libvirtd, and a server that protects it, as its users have them.</summary>
internal sealed class LiveScene : IAsyncDisposable
{
    private const string Account = "restores1";

    private readonly TempFolder _folder;

    private LiveScene(TempFolder folder, Libvirtd host, LiveMachine machine, ServerProcess server, ArmClient client)
    {
        _folder = folder;
        (Host, Machine, Server, Client) = (host, machine, server, client);
        Lab = Lab.Of(server);
    }

    public Libvirtd Host { get; }

    public LiveMachine Machine { get; }

    public ServerProcess Server { get; }

    public ArmClient Client { get; private set; }

    public Lab Lab { get; }

    /// <summary>Starts it all; the machine runs and is protected.</summary>
    public static async Task<LiveScene> StartAsync(MachinePlan plan, CancellationToken cancellationToken)
    {
        var guest = await LiveGuest.FindAsync(cancellationToken);
        var folder = new TempFolder();
        var host = await Libvirtd.StartAsync(cancellationToken);
        var machine = await LiveMachine.DefineAsync(host, guest, plan, cancellationToken);
        await machine.StartAsync(cancellationToken);
        var server = await ServerProcess.StartAsync(folder.Combine("data"), folder.Path, ["--allow-libvirt", host.Uri, "--libvirt-scratch", host.Folders.Root], cancellationToken);
        var scene = new LiveScene(folder, host, machine, server, await ArmClient.SignInAsync(server, cancellationToken));
        await scene.ProtectAsync(cancellationToken);
        return scene;
    }

    /// <summary>After the server was started again.</summary>
    public void Reconnect()
    {
        Client.Dispose();
        Client = Client.Reconnect();
    }

    /// <summary>Asks for a backup.</summary>
    /// <returns>Its job's id.</returns>
    public async Task<string> BeginBackupAsync(CancellationToken cancellationToken)
    {
        var operation = await Client.ChangeAsync(HttpMethod.Post, Lab.ItemUrl("backup"), Lab.BackupBody(TimeProvider.System), cancellationToken);
        return (string)operation!["properties"]!["jobId"]!;
    }

    public Task<JsonNode> WaitForJobAsync(string job, CancellationToken cancellationToken) => Jobs.WaitAsync(Client, Lab, job, TimeSpan.FromMinutes(10), cancellationToken);

    /// <summary>Backs the machine up; the job must complete.</summary>
    /// <returns>The point as the API shows it, and the job.</returns>
    public async Task<(JsonNode Point, JsonNode Job)> BackUpAsync(CancellationToken cancellationToken)
    {
        var before = await PointsAsync(cancellationToken);
        var job = await WaitForJobAsync(await BeginBackupAsync(cancellationToken), cancellationToken);
        Assert.True(Jobs.Status(job) == "Completed", job.ToJsonString() + Server.LogTail);
        var point = Assert.Single(await PointsAsync(cancellationToken), point => before.All(known => (string?)known["name"] != (string?)point["name"]));
        return (point, job);
    }

    /// <summary>Whether libvirtd was killed in the moment between its note that a backup begins and the one that tells which: it never ends that one.</summary>
    public async Task<bool> HasLostBackupAsync(CancellationToken cancellationToken) =>
        (await Host.VirshAsync(["domjobinfo", Machine.Name], cancellationToken)).StandardError.Contains("backup job data missing", StringComparison.Ordinal);

    public Task<IReadOnlyList<JsonNode>> PointsAsync(CancellationToken cancellationToken) => Client.ListAsync(Lab.ItemUrl("recoveryPoints"), cancellationToken);

    /// <summary>Restores a point's disks and looks at them, in LUN order.</summary>
    public async Task<IReadOnlyList<DiskCheck>> CheckAsync(string point, CancellationToken cancellationToken)
    {
        var checks = new List<DiskCheck>();
        foreach (var file in await RestoreAsync(point, cancellationToken)) checks.Add(await DiskCheck.RunAsync(file, cancellationToken));
        foreach (var container in Directory.GetDirectories(AccountFolder)) Directory.Delete(container, recursive: true);
        return checks;
    }

    /// <summary>Restores a point's disks into the storage account.</summary>
    /// <returns>Fixed VHDs, in LUN order: raw disks with a footer after them.</returns>
    public async Task<IReadOnlyList<string>> RestoreAsync(string point, CancellationToken cancellationToken)
    {
        var known = Directory.Exists(AccountFolder) ? Directory.GetDirectories(AccountFolder) : [];
        await LabSetUp.RestoreAsync(Client, Lab, point, Account, cancellationToken);
        var files = Directory.GetFiles(Assert.Single(Directory.GetDirectories(AccountFolder).Except(known)), "*.vhd");
        return [.. files.OrderBy(file => file.Contains("-osdisk-", StringComparison.Ordinal) ? 0 : 1).ThenBy(file => file, StringComparer.Ordinal)];
    }

    /// <summary>What backups have left on the host beyond the one checkpoint of the newest point.</summary>
    public async Task AssertHostIsCleanAsync(CancellationToken cancellationToken)
    {
        Assert.Empty(Directory.GetFileSystemEntries(Host.Folders.Scratch));
        var checkpoints = (await Host.VirshAsync(["checkpoint-list", Machine.Name, "--name"], cancellationToken)).Succeeded().StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(checkpoints.Length <= 1, string.Join(", ", checkpoints));
        Assert.NotEqual(0, (await Host.VirshAsync(["backup-dumpxml", Machine.Name], cancellationToken)).ExitCode);
        if (Machine.QemuProcessId is not null) Assert.False(await Machine.Agent.IsFrozenAsync(cancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        await Host.DisposeAsync();
        _folder.Dispose();
    }

    private string AccountFolder => Path.Combine(Server.DataFolder, "storage", Account);

    private async Task ProtectAsync(CancellationToken cancellationToken)
    {
        await Client.ChangeAsync(HttpMethod.Put, Lab.GroupUrl, new JsonObject { ["location"] = Lab.Location }, cancellationToken);
        await Client.ChangeAsync(HttpMethod.Put, Lab.HostUrl, Lab.LibvirtHostBody(Host.Uri, Host.Folders.Scratch), cancellationToken);
        await Client.ChangeAsync(HttpMethod.Put, $"{Lab.StorageAccountId(Account)}?api-version={Lab.StorageVersion}", Lab.StorageAccountBody(Lab.Location), cancellationToken);
        await Client.ChangeAsync(HttpMethod.Put, $"{Lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(Lab.Location), cancellationToken);
        await Client.ChangeAsync(HttpMethod.Patch, Lab.VaultUrl("backupconfig/vaultconfig"), Lab.SoftDeleteOffBody(), cancellationToken);
        await Client.ChangeAsync(HttpMethod.Post, Lab.VaultUrl("backupFabrics/Azure/refreshContainers"), null, cancellationToken);
        var operation = await Client.ChangeAsync(HttpMethod.Put, Lab.ItemUrl(), Lab.ProtectBody(), cancellationToken);
        await Jobs.CompletedAsync(Client, Lab, operation, cancellationToken);
    }
}
