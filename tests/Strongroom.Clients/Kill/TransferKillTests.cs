using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>The server killed by SIGKILL while a recovery point is listed whose disk is on its way into the vault.</summary>
public sealed class TransferKillTests : IDisposable
{
    private const string Account = "restores1";
    private const int DiskLengthMiB = 96;
    private const int Kills = 3;
    private const int MostBackups = 20;
    private const string FoundCommitted = "finds its snapshot committed by an earlier run";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task A_point_in_transfer_dies_with_its_server_and_the_next_one_makes_its_own()
    {
        var hostFolder = _folder.Combine("machines");
        Directory.CreateDirectory(hostFolder);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, Token);
        try
        {
            var machine = SampleMachine.Create(hostFolder, "web1", 5, DiskLengthMiB);
            var lab = Lab.Of(server);
            var client = await ArmClient.SignInAsync(server, Token);
            await LabSetUp.ProtectAsync(client, lab, hostFolder, Account, Token);
            var (kills, backups) = (0, 0);
            while (kills < Kills)
            {
                Assert.True(++backups <= MostBackups, $"{kills} of {backups - 1} backups were met in transfer.");
                // Another disk altogether, so that nothing of it is in the vault.
                SampleMachine.Create(hostFolder, "web1", 100 * backups, DiskLengthMiB);
                await client.ChangeAsync(HttpMethod.Post, lab.ItemUrl("backup"), Lab.BackupBody(TimeProvider.System), Token);
                if (await FindInTransferAsync(client, lab, backups) is not { } dead) continue;
                server.Kill();
                var committedBefore = server.LinesWith(FoundCommitted);
                await server.StartAsync(Token);
                client.Dispose();
                client = client.Reconnect();
                var atStart = await ListAsync(client, lab);
                await KillSteps.SettleAsync(client, lab, Token);

                var listed = await ListAsync(client, lab);
                Assert.Equal(backups, listed.Count);
                Assert.All(listed, point => Assert.Equal(["InstantRP", "HardenedRP"], LabSetUp.Tiers(point)));
                // Its data came to be in the vault between the look and the kill: such a point may live.
                if (server.LinesWith(FoundCommitted) > committedBefore) continue;
                kills++;
                Assert.DoesNotContain(dead, atStart.Select(Name));
                Assert.DoesNotContain(dead, listed.Select(Name));
            }

            var newest = Name((await ListAsync(client, lab))[0]);
            await RestoredDisks.AssertEqualAsync(client, await LabSetUp.RestoreAsync(client, lab, newest, Account, Token), machine.Content(), Token);
            client.Dispose();
        }
        catch
        {
            TestContext.Current.TestOutputHelper!.WriteLine(server.LogTail);
            throw;
        }
    }

    /// <summary>The name of the point that is listed before it is in the vault; null when it was there too soon.</summary>
    private static async Task<string?> FindInTransferAsync(ArmClient client, Lab lab, int count)
    {
        while (true)
        {
            var listed = await ListAsync(client, lab);
            if (listed.Count == count) return LabSetUp.Tiers(listed[0]) is ["InstantRP"] ? Name(listed[0]) : null;
        }
    }

    private static Task<IReadOnlyList<JsonNode>> ListAsync(ArmClient client, Lab lab) => client.ListAsync(lab.ItemUrl("recoveryPoints"), Token);

    private static string Name(JsonNode point) => point["name"]!.GetValue<string>();
}
