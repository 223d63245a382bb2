using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;

namespace Strongroom.Clients.Servers;

/// <summary>A server's database is lost: a vault, a key and the store command are enough to have its recovery points back.</summary>
[SupportedOSPlatform("linux")]
public sealed class LostCatalogueTests : IDisposable
{
    private const string Account = "restores1";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 1_800_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_recovery_points_of_a_lost_database_are_listed_and_restored_again(bool isElsewhere)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var elsewhere = _folder.Combine("nas");
        Directory.CreateDirectory(elsewhere);
        string[] options = isElsewhere ? ["--vault-storage", elsewhere] : [];
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), _folder.Path, options, cancellationToken);
        var lab = Lab.Of(server);
        var machine = SampleMachine.Create(_folder.Combine("machines"), "web1", 7, 8);
        var client = await ArmClient.SignInAsync(server, cancellationToken);
        await LabSetUp.ProtectAsync(client, lab, _folder.Combine("machines"), Account, cancellationToken);
        var first = await LabSetUp.BackUpAsync(client, lab, cancellationToken);
        var firstHash = SampleDisk.Sha256(machine.Disks[0]);
        SampleDisk.Change(machine.Disks[0], 0.05, 8);
        await LabSetUp.BackUpAsync(client, lab, cancellationToken);
        var points = await LabSetUp.RecoveryPointsAsync(client, lab, cancellationToken);
        Assert.Equal(0, await server.StopAsync(cancellationToken));

        foreach (var file in Directory.GetFiles(server.DataFolder, "strongroom.db*"))
            File.Delete(file);
        var vault = Assert.Single(Directory.GetDirectories(isElsewhere ? elsewhere : Path.Combine(server.DataFolder, "vaults")));
        if (!isElsewhere)
        {
            // A server that began anew would disown the stores; it says what to do instead.
            var refused = await CommandResult.RunAsync(Repository.ServerExecutable, ["serve", "--data", server.DataFolder], null, cancellationToken);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("rebuild-catalogue", refused.StandardError, StringComparison.Ordinal);
        }

        var rebuilt = await CommandResult.RunAsync(
            Repository.ServerExecutable,
            ["store", "rebuild-catalogue", vault, "--data", server.DataFolder, "--key-file", Path.Combine(server.DataFolder, "master.key"), "--output", "json"],
            null, cancellationToken);

        Assert.True(rebuilt.ExitCode == 0, rebuilt.StandardOutput + rebuilt.StandardError);
        var said = JsonNode.Parse(rebuilt.StandardOutput.TrimEnd().Split('\n')[^1])!;
        Assert.Equal((1, 1, 2), ((int)said["vaultsAdded"]!, (int)said["itemsAdded"]!, (int)said["pointsAdded"]!));

        await server.StartAsync(cancellationToken);
        using var again = client.Reconnect();
        client.Dispose();
        Assert.Equal(points, await LabSetUp.RecoveryPointsAsync(again, lab, cancellationToken));

        // Hosts and accounts are resources of their own, which no vault knows of.
        await again.ChangeAsync(HttpMethod.Put, lab.HostUrl, lab.HostBody(_folder.Combine("machines")), cancellationToken);
        await again.ChangeAsync(HttpMethod.Put, $"{lab.StorageAccountId(Account)}?api-version={Lab.StorageVersion}", Lab.StorageAccountBody(lab.Location), cancellationToken);
        var job = await LabSetUp.RestoreAsync(again, lab, first, Account, cancellationToken);
        var uri = Assert.Single(await RestoredDisks.UrisAsync(again, job, cancellationToken));
        Assert.Equal(firstHash, await RestoredDisks.Sha256Async(again, uri, new FileInfo(machine.Disks[0]).Length, cancellationToken));
        await LabSetUp.BackUpAsync(again, lab, cancellationToken);
    }
}
