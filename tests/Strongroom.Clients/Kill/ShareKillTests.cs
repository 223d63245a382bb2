using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Kill;

/// <summary>The server killed by SIGKILL while it reads the snapshot of a share on Btrfs.</summary>
public sealed class ShareKillTests : IDisposable
{
    private const string Hidden = ".strongroom-snapshots";
    private const int Kills = 3;
    private const int MostBackups = 20;
    private const int FileCount = 400;
    private const int FileLengthBytes = 256 << 10;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Shares => _folder.Combine("shares");

    [Fact(Timeout = 600_000)]
    public async Task A_killed_backup_leaves_no_snapshot_and_the_share_restores_as_it_was()
    {
        await MountAsync();
        try
        {
            await PlayAsync();
        }
        finally
        {
            await RunAsync("umount", "--lazy", Shares);
        }
    }

    private async Task PlayAsync()
    {
        Directory.CreateDirectory(Path.Combine(Shares, "spare"));
        await RunAsync("btrfs", "subvolume", "create", Path.Combine(Shares, "docs"));
        await RunAsync("btrfs", "subvolume", "create", Path.Combine(Shares, "docs", "within"));
        await using var server = await ServerProcess.StartAsync(_folder.Combine("data"), Shares, Token);
        try
        {
            var lab = Lab.Of(server);
            var client = await ArmClient.SignInAsync(server, Token);
            Write(0);
            var item = await ProtectAsync(client, lab);
            var (kills, backups) = (0, 0);
            while (kills < Kills)
            {
                Assert.True(++backups <= MostBackups, $"{kills} of {backups - 1} backups were met at their snapshot.");
                // Other files altogether, so that nothing of them is in the vault.
                Write(backups);
                await client.ChangeAsync(HttpMethod.Post, $"{item}/backup?api-version={Lab.BackupVersion}", new JsonObject { ["properties"] = new JsonObject { ["objectType"] = "AzureFileShareBackupRequest" } }, Token);
                if (!await MeetAsync(client, lab)) continue;
                server.Kill();
                kills++;
                Assert.NotEmpty(Directory.EnumerateDirectories(Path.Combine(Shares, "docs", Hidden)));
                await server.StartAsync(Token);
                client.Dispose();
                client = client.Reconnect();
                await KillSteps.SettleAsync(client, lab, Token);
                Assert.All(await KillSteps.JobsAsync(client, lab, Token), job => Assert.Equal("Completed", Jobs.Status(job)));
                Assert.False(Path.Exists(Path.Combine(Shares, "docs", Hidden)), "The snapshot of the killed server is still there.");
                Assert.Equal(backups, (await client.ListAsync($"{item}/recoveryPoints?api-version={Lab.BackupVersion}", Token)).Count);
            }

            var newest = (await client.ListAsync($"{item}/recoveryPoints?api-version={Lab.BackupVersion}", Token))[0].Text("name")!;
            await RestoreAsync(client, lab, item, newest);
            Assert.Equal(Content("docs"), Content("spare"));
            client.Dispose();
        }
        catch
        {
            TestContext.Current.TestOutputHelper!.WriteLine(server.LogTail);
            throw;
        }
    }

    /// <summary>A vault, a file server and a protected share.</summary>
    /// <returns>The item's path.</returns>
    private async Task<string> ProtectAsync(ArmClient client, Lab lab)
    {
        var account = lab.StorageAccountId("files1");
        await client.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = lab.Location }, Token);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(lab.Location), Token);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.GroupPath}/providers/Strongroom.Fabric/fileServers/files1?api-version={Lab.FabricVersion}", new JsonObject
        {
            ["location"] = lab.Location,
            ["properties"] = new JsonObject { ["kind"] = "Local", ["sharesRoot"] = Shares },
        }, Token);
        await client.ChangeAsync(HttpMethod.Put, lab.VaultUrl("backupPolicies/daily"), JsonNode.Parse("""
            {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
            "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T02:00:00Z"]},
            "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T02:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}
            """), Token);
        var container = $"backupFabrics/Azure/protectionContainers/StorageContainer;Storage;{lab.Group};files1";
        await client.ChangeAsync(HttpMethod.Put, lab.VaultUrl(container), new JsonObject
        {
            ["properties"] = new JsonObject { ["containerType"] = "StorageContainer", ["backupManagementType"] = "AzureStorage", ["workloadType"] = "AzureFileShare", ["sourceResourceId"] = account },
        }, Token);
        var found = await client.ListAsync(lab.VaultUrl("backupProtectableItems", "$filter=backupManagementType eq 'AzureStorage'"), Token);
        var item = $"{lab.VaultPath}/{container}/protectedItems/{found.Single(share => share.Text("properties", "friendlyName") == "docs").Text("name")}";
        await client.ChangeAsync(HttpMethod.Put, $"{item}?api-version={Lab.BackupVersion}", new JsonObject
        {
            ["properties"] = new JsonObject { ["protectedItemType"] = "AzureFileShareProtectedItem", ["policyId"] = $"{lab.VaultPath}/backupPolicies/daily", ["sourceResourceId"] = account },
        }, Token);
        return item;
    }

    private static async Task RestoreAsync(ArmClient client, Lab lab, string item, string point)
    {
        var operation = await client.ChangeAsync(HttpMethod.Post, $"{item}/recoveryPoints/{point}/restore?api-version={Lab.BackupVersion}", new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["objectType"] = "AzureFileShareRestoreRequest",
                ["recoveryType"] = "AlternateLocation",
                ["restoreRequestType"] = "FullShareRestore",
                ["copyOptions"] = "Overwrite",
                ["sourceResourceId"] = lab.StorageAccountId("files1"),
                ["targetDetails"] = new JsonObject { ["name"] = "spare", ["targetResourceId"] = lab.StorageAccountId("files1") },
            },
        }, Token);
        await Jobs.CompletedAsync(client, lab, operation, Token);
    }

    /// <summary>Waits for the snapshot of the backup that was begun.</summary>
    /// <returns>False when it came and went unseen.</returns>
    private async Task<bool> MeetAsync(ArmClient client, Lab lab)
    {
        while ((await KillSteps.JobsAsync(client, lab, Token)).Any(Jobs.IsLive))
        {
            for (var look = 0; look < 50; look++)
            {
                var hidden = Path.Combine(Shares, "docs", Hidden);
                // With the snapshot of the subvolume within: the whole of it is made.
                if (Directory.Exists(hidden) && Directory.EnumerateDirectories(hidden).Any(snapshot => File.Exists(Path.Combine(snapshot, "within", "0")))) return true;
                await Task.Delay(2, Token);
            }
        }

        return false;
    }

    private void Write(int seed)
    {
        var random = new Random(seed);
        var bytes = new byte[FileLengthBytes];
        for (var i = 0; i < FileCount; i++)
        {
            random.NextBytes(bytes);
            File.WriteAllBytes(Path.Combine(Shares, "docs", i % 2 == 0 ? "within" : "", i.ToString(System.Globalization.CultureInfo.InvariantCulture)), bytes);
        }
    }

    private List<string> Content(string share)
    {
        var folder = Path.Combine(Shares, share);
        return [.. from path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                   select $"{Path.GetRelativePath(folder, path)} {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)))}"];
    }

    private async Task MountAsync()
    {
        if (Environment.UserName != "root") Peer.Unsupported("Only root can mount a file system.");
        var image = _folder.Combine("image");
        using (var file = File.OpenHandle(image, FileMode.CreateNew, FileAccess.Write)) RandomAccess.SetLength(file, 2L << 30);
        await RunAsync(Peer.RequireOrSkip("mkfs.btrfs", "btrfs-progs"), "-q", image);
        Directory.CreateDirectory(Shares);
        var mounted = await CommandResult.RunAsync("mount", ["-o", "loop", image, Shares], null, Token);
        if (mounted.ExitCode != 0) Peer.Unsupported($"No Btrfs can be mounted here: {mounted.StandardError}");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var result = await CommandResult.RunAsync(program, arguments, null, CancellationToken.None);
        Assert.True(result.ExitCode == 0, $"{result.CommandLine}: {result.StandardError}");
    }
}
