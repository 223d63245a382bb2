using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>
/// What the stories of single commands begin with: a server, an az that is signed in, a resource group, and a host with
/// the machine web1 (two disks).
/// </summary>
internal sealed class AzLab : IAsyncDisposable
{
    private readonly AzProgram _program;
    private readonly TempFolder _folder;
    private readonly ServerProcess _server;

    private AzLab(AzEdition edition, AzProgram program, TempFolder folder, ServerProcess server, AzCli az, ArmClient client, SampleMachine machine)
    {
        Edition = edition;
        _program = program;
        _folder = folder;
        _server = server;
        Az = az;
        Client = client;
        Machine = machine;
        Lab = Lab.Of(server);
    }

    public AzEdition Edition { get; }

    public AzCli Az { get; }

    public ArmClient Client { get; }

    public Lab Lab { get; }

    /// <summary>The folder that az writes its files to.</summary>
    public string AzFolder => _program.WorkFolder;

    /// <summary>The server's own folder.</summary>
    public string DataFolder => _server.DataFolder;

    /// <summary>Where the server answers.</summary>
    public Uri Endpoint => _server.Endpoint;

    /// <summary>web1.</summary>
    public SampleMachine Machine { get; }

    /// <summary>The vault, as the commands below a vault want it.</summary>
    public string Vault => $"-g {Lab.Group} -v {Lab.Vault}";

    /// <summary>The machine's item, as most commands want it.</summary>
    public string Item => $"{Vault} -c web1 -i web1 --backup-management-type AzureIaasVM";

    public static async Task<AzLab> StartAsync(AzEdition edition, CancellationToken cancellationToken)
    {
        var program = await AzProgram.OfAsync(edition, cancellationToken);
        var folder = new TempFolder();
        var hostFolder = folder.Combine("machines");
        var machine = SampleMachine.Create(hostFolder, "web1", seed: 21, 4, 2);
        var server = await ServerProcess.StartAsync(folder.Combine("data"), hostFolder, cancellationToken);
        var az = await AzCli.SignInAsync(program, server, cancellationToken);
        var client = await ArmClient.SignInAsync(server, cancellationToken);
        var started = new AzLab(edition, program, folder, server, az, client, machine);
        await client.ChangeAsync(HttpMethod.Put, started.Lab.GroupUrl, new JsonObject { ["location"] = started.Lab.Location }, cancellationToken);
        await client.ChangeAsync(HttpMethod.Put, started.Lab.HostUrl, started.Lab.HostBody(hostFolder), cancellationToken);
        return started;
    }

    /// <summary>Makes the vault, with soft delete as it is by default.</summary>
    public Task<JsonNode?> MakeVaultAsync(CancellationToken cancellationToken) =>
        Client.ChangeAsync(HttpMethod.Put, $"{Lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(Lab.Location), cancellationToken);

    /// <summary>Protects the machine with DefaultPolicy: by az where its own command works, else over REST.</summary>
    public async Task ProtectAsync(CancellationToken cancellationToken)
    {
        if (Edition is AzEdition.Debian13)
        {
            await Az.RunAsync($"backup protection enable-for-vm {Vault} --vm web1 -p DefaultPolicy", cancellationToken);
            return;
        }
        await Client.ChangeAsync(HttpMethod.Post, Lab.VaultUrl("backupFabrics/Azure/refreshContainers"), null, cancellationToken);
        await Jobs.CompletedAsync(Client, Lab, await Client.ChangeAsync(HttpMethod.Put, Lab.ItemUrl(), Lab.ProtectBody(), cancellationToken), cancellationToken);
    }

    /// <summary>The job that a command printed, when it has ended.</summary>
    public Task<JsonNode> EndedAsync(JsonNode? printed, CancellationToken cancellationToken) =>
        Jobs.WaitAsync(Client, Lab, (string)printed!["name"]!, TimeSpan.FromMinutes(10), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _server.DisposeAsync();
        _program.Dispose();
        _folder.Dispose();
    }
}
