using System.Diagnostics;
using System.Text.Json.Nodes;
using Strongroom.Clients.Disks;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>
/// The server killed by SIGKILL at random moments of restores onto a host. At the very moment of the kill the machine has all its old disks or all its new
/// ones; after the restart the job ends by itself and nothing is left over.
/// STRONGROOM_KILL_SEED repeats a run's choices; STRONGROOM_KILL_ROUNDS changes the number of kills.
/// </summary>
public sealed class MachineRestoreKillTests : IDisposable
{
    private const int DefaultRounds = 24;
    private const string Account = "restores1";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_800_000)]
    public async Task A_machine_is_the_old_one_or_the_new_one_whenever_the_server_is_killed()
    {
        var output = TestContext.Current.TestOutputHelper!;
        var seed = KillSteps.Number("STRONGROOM_KILL_SEED") ?? Random.Shared.Next();
        var rounds = KillSteps.Number("STRONGROOM_KILL_ROUNDS") ?? DefaultRounds;
        output.WriteLine($"STRONGROOM_KILL_SEED={seed}, {rounds} rounds");
        var random = new Random(seed);
        var hostFolder = _folder.Combine("machines");
        Directory.CreateDirectory(hostFolder);
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), hostFolder, Token);
        try
        {
            var machine = SampleMachine.Create(hostFolder, "web1", seed, 24, 8);
            Directory.CreateDirectory(Path.Combine(hostFolder, "web1", "nvram"));
            await File.WriteAllTextAsync(Path.Combine(hostFolder, "web1", "nvram", "vars"), "kept", Token);
            var lab = Lab.Of(server);
            var client = await ArmClient.SignInAsync(server, Token);
            await LabSetUp.ProtectAsync(client, lab, hostFolder, Account, Token);
            var point = await LabSetUp.BackUpAsync(client, lab, Token);
            var backedUp = machine.Content();

            var lasts = await MeasureAsync(client, lab, point);
            Assert.Equal(backedUp, machine.Content());
            var (before, after) = (0, 0);
            for (var round = 1; round <= rounds; round++)
            {
                var isNew = random.Next(3) == 0;
                machine.Change(random.Next());
                var old = machine.Content();
                var name = $"new{round}";
                var moment = lasts * (random.NextDouble() * 1.2);
                var request = KillSteps.SwallowAsync(client.SendAsync(HttpMethod.Post, lab.ItemUrl($"recoveryPoints/{point}/restore"), Body(lab, point, isNew ? name : null), Token));
                await Task.Delay(moment, Token);
                server.Kill();
                await request;

                var target = isNew ? name : "web1";
                var isThere = isNew ? AssertNewOrAbsent(hostFolder, name, backedUp) : AssertOldOrNew(machine, old, backedUp);
                if (isThere) after++; else before++;

                await server.StartAsync(Token);
                client.Dispose();
                client = client.Reconnect();
                var settled = await KillSteps.SettleAsync(client, lab, Token);
                var job = (await KillSteps.JobsAsync(client, lab, Token))[0]["properties"]!;
                Assert.NotEqual("Failed", (string?)job["status"]);
                if (isNew) AssertNewOrAbsent(hostFolder, name, backedUp);
                else AssertOldOrNew(machine, old, backedUp);
                Assert.Empty(Directory.GetDirectories(hostFolder, ".*"));
                Assert.Equal("kept", await File.ReadAllTextAsync(Path.Combine(hostFolder, "web1", "nvram", "vars"), Token));
                output.WriteLine($"{round,3}: {target} killed after {moment.TotalMilliseconds,5:F0} ms, {(isThere ? "new" : "old")} at the kill, quiet after {settled.TotalMilliseconds,5:F0} ms");
                if (isNew && Directory.Exists(Path.Combine(hostFolder, name))) Directory.Delete(Path.Combine(hostFolder, name), recursive: true);
            }

            await client.ChangeAsync(HttpMethod.Post, lab.ItemUrl($"recoveryPoints/{point}/restore"), Body(lab, point, null), Token);
            await KillSteps.SettleAsync(client, lab, Token);
            Assert.Equal(backedUp, machine.Content());
            output.WriteLine($"{rounds} kills: {before} before the commit, {after} after it");
            client.Dispose();
        }
        catch
        {
            output.WriteLine(server.LogTail);
            throw;
        }
    }

    /// <summary>How long an undisturbed restore in place takes.</summary>
    private static async Task<TimeSpan> MeasureAsync(ArmClient client, Lab lab, string point)
    {
        var watch = Stopwatch.StartNew();
        var operation = await client.ChangeAsync(HttpMethod.Post, lab.ItemUrl($"recoveryPoints/{point}/restore"), Body(lab, point, null), Token);
        await Jobs.CompletedAsync(client, lab, operation, Token);
        return watch.Elapsed;
    }

    private static bool AssertOldOrNew(SampleMachine machine, IReadOnlyList<DiskContent> old, IReadOnlyList<DiskContent> backedUp)
    {
        var now = machine.Content();
        var isNew = now.SequenceEqual(backedUp);
        Assert.True(isNew || now.SequenceEqual(old), "The machine is a mixture.");
        return isNew;
    }

    private static bool AssertNewOrAbsent(string hostFolder, string name, IReadOnlyList<DiskContent> backedUp)
    {
        var folder = Path.Combine(hostFolder, name);
        if (!Directory.Exists(folder)) return false;
        Assert.Equal(backedUp, Directory.GetFiles(folder, "*.raw").Order(StringComparer.Ordinal).Select(disk => new DiskContent(new FileInfo(disk).Length, SampleDisk.Sha256(disk))));
        Assert.True(File.Exists(Path.Combine(folder, "vm.json")));
        return true;
    }

    private static JsonObject Body(Lab lab, string point, string? newName)
    {
        var body = lab.RestoreBody(point, Account);
        body["properties"]!["recoveryType"] = newName is null ? "OriginalLocation" : "AlternateLocation";
        if (newName is not null) body["properties"]!["targetVirtualMachineId"] = $"{lab.GroupPath}/providers/Microsoft.Compute/virtualMachines/{newName}";
        return body;
    }
}
