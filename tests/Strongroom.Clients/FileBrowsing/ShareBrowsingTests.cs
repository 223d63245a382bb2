using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.FileBrowsing;

/// <summary>The files of a share's recovery point: `strongroom files`, and downloads of files and folders.</summary>
public sealed class ShareBrowsingTests
{
    private const string Policy = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T02:00:00Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T02:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 1_800_000)]
    public async Task Files_and_folders_of_a_share_are_listed_and_brought()
    {
        using var folder = new TempFolder();
        var docs = Directory.CreateDirectory(folder.Combine("shares", "docs", "letters")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(docs, "plan.txt"), "the plan", Cancelled);
        await File.WriteAllTextAsync(Path.Combine(docs, "letters", "a letter.txt"), "dear reader", Cancelled);
        File.CreateSymbolicLink(Path.Combine(docs, "latest"), "letters");
        await using var server = await ServerProcess.StartAsync(folder.Combine("data"), folder.Path, Cancelled);
        using var client = await ArmClient.SignInAsync(server, Cancelled);
        await BackUpAsync(client, Lab.Of(server), folder.Combine("shares"));

        Task<CommandResult> FilesAsync(string verb, params string[] arguments) =>
            CommandResult.RunAsync(Repository.ServerExecutable, ["files", verb, .. arguments, "--data", server.DataFolder, "-g", "lab", "-v", "vault1", "-i", "docs"], null, Cancelled);

        var listed = await FilesAsync("ls", "/");
        Assert.True(listed.ExitCode == 0, listed.StandardError);
        Assert.Equal(3, listed.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.All((string[])["latest", "letters", "plan.txt"], name => Assert.Contains(name, listed.StandardOutput, StringComparison.Ordinal));
        var target = folder.Combine("brought");
        Assert.Equal(0, (await FilesAsync("get", "/latest/a letter.txt", "--to", target)).ExitCode);
        Assert.Equal("dear reader", await File.ReadAllTextAsync(target, Cancelled));
        var tree = folder.Combine("tree");
        var got = await FilesAsync("get", "/letters", "--to", tree);
        Assert.True(got.ExitCode == 0, got.StandardError);
        Assert.Equal("dear reader", await File.ReadAllTextAsync(Path.Combine(tree, "a letter.txt"), Cancelled));
        var absent = await FilesAsync("ls", "/nothing");
        Assert.NotEqual(0, absent.ExitCode);
        Assert.Contains("/nothing", absent.StandardError, StringComparison.Ordinal);
    }

    private static async Task BackUpAsync(ArmClient client, Lab lab, string shares)
    {
        var account = lab.StorageAccountId("files1");
        var container = lab.VaultUrl("backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;files1");
        await client.ChangeAsync(HttpMethod.Put, lab.GroupUrl, new JsonObject { ["location"] = lab.Location }, Cancelled);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.GroupPath}/providers/Strongroom.Fabric/fileServers/files1?api-version={Lab.FabricVersion}", new JsonObject
        {
            ["location"] = lab.Location,
            ["properties"] = new JsonObject { ["kind"] = "Local", ["sharesRoot"] = shares },
        }, Cancelled);
        await client.ChangeAsync(HttpMethod.Put, $"{lab.VaultPath}?api-version={Lab.BackupVersion}", Lab.VaultBody(lab.Location), Cancelled);
        await client.ChangeAsync(HttpMethod.Put, lab.VaultUrl("backupPolicies/shares"), JsonNode.Parse(Policy)!.AsObject(), Cancelled);
        await client.ChangeAsync(HttpMethod.Put, container, new JsonObject { ["properties"] = new JsonObject { ["containerType"] = "StorageContainer", ["sourceResourceId"] = account } }, Cancelled);
        var share = Assert.Single(await client.ListAsync(lab.VaultUrl("backupProtectableItems"), Cancelled)).Text("name");
        var item = $"backupFabrics/Azure/protectionContainers/StorageContainer;Storage;lab;files1/protectedItems/{share}";
        await client.ChangeAsync(HttpMethod.Put, lab.VaultUrl(item), new JsonObject
        {
            ["properties"] = new JsonObject { ["protectedItemType"] = "AzureFileShareProtectedItem", ["sourceResourceId"] = account, ["policyId"] = $"{lab.VaultPath}/backupPolicies/shares" },
        }, Cancelled);
        var backup = await client.ChangeAsync(HttpMethod.Post, lab.VaultUrl($"{item}/backup"), new JsonObject { ["properties"] = new JsonObject { ["objectType"] = "AzureFileShareBackupRequest" } }, Cancelled);
        await Jobs.CompletedAsync(client, lab, backup, Cancelled);
    }
}
