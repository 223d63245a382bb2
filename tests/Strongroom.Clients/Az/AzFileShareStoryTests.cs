using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Clients.Rest;
using Strongroom.Clients.Servers;

namespace Strongroom.Clients.Az;

/// <summary>`az backup` for file shares: a share's way from its file server to its unregistered account, with every kind of restore.</summary>
public sealed class AzFileShareStoryTests
{
    private const string Policy = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2026-01-01T02:00:00Z"]},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2026-01-01T02:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}}}}
        """;

    private const string Hourly = """
        {"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","timeZone":"UTC",
        "schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2026-01-01T08:00:00Z","scheduleWindowDuration":12}},
        "retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":null,"retentionDuration":{"count":30,"durationType":"Days"}}}}}
        """;

    [Theory(Timeout = 1_800_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task A_share_is_protected_backed_up_restored_in_every_way_and_let_go(AzEdition edition)
    {
        var token = TestContext.Current.CancellationToken;
        using var program = await AzProgram.OfAsync(edition, token);
        using var folder = new TempFolder();
        await using var server = await ServerProcess.StartAsync(folder.Combine("data"), folder.Path, token);
        var az = await AzCli.SignInAsync(program, server, token);
        using var client = await ArmClient.SignInAsync(server, token);
        var story = new Story(az, client, Lab.Of(server), folder.Combine("shares"), edition);

        await story.SetUpAsync(token);
        await story.ProtectAsync(token);
        var point = await story.BackUpAsync(token);
        await story.RestoreSharesAsync(point, token);
        await story.RestoreFilesAsync(point, token);
        await story.ChangePoliciesAsync(token);
        await story.LetGoAsync(token);
    }

    private sealed class Story(AzCli az, ArmClient client, Lab lab, string shares, AzEdition edition)
    {
        private const string Vault = "-g lab -v vault1";
        private const string Item = "-g lab -v vault1 -c files1 -i docs --backup-management-type AzureStorage";

        private string Docs => Path.Combine(shares, "docs");

        private string Spare => Path.Combine(shares, "spare");

        public async Task SetUpAsync(CancellationToken token)
        {
            Directory.CreateDirectory(Path.Combine(Docs, "letters"));
            Directory.CreateDirectory(Spare);
            await File.WriteAllTextAsync(Path.Combine(Docs, "plan.txt"), "the plan", token);
            await File.WriteAllTextAsync(Path.Combine(Docs, "letters", "a letter.txt"), "dear reader", token);
            await az.RunAsync("group create -n lab -l home", token);
            await az.RunAsync("backup vault create -g lab -n vault1 -l home", token);
            await az.RestAsync("put", $"{lab.GroupPath}/providers/Strongroom.Fabric/fileServers/files1?api-version={Lab.FabricVersion}", new JsonObject
            {
                ["location"] = "home",
                ["properties"] = new JsonObject { ["kind"] = "Local", ["sharesRoot"] = shares },
            }, token);
            Assert.Contains(await az.ListAsync("storage account list -g lab", token), account => account.Text("name") == "files1");
            Assert.Equal(["docs", "spare"], (await az.ListAsync("storage share-rm list -g lab --storage-account files1", token)).Select(share => share.Text("name")).Order());
        }

        public async Task ProtectAsync(CancellationToken token)
        {
            await az.RunAsync([.. Words($"backup policy create {Vault} -n shares --backup-management-type AzureStorage --policy"), Policy], token);
            Assert.Equal(["shares"], Names(await az.ListAsync($"backup policy list {Vault} --backup-management-type AzureStorage", token)));
            Assert.Empty(await az.ListAsync($"backup container list {Vault} --backup-management-type AzureStorage", token));

            var job = await az.RunAsync($"backup protection enable-for-azurefileshare {Vault} --policy-name shares --storage-account files1 --azure-file-share docs", token);
            Assert.Equal(("ConfigureBackup", "AzureStorage"), (job.Text("properties", "operation"), job.Text("properties", "backupManagementType")));
            // Again: az finds it protected and prints the item.
            var protectedItem = await az.RunAsync($"backup protection enable-for-azurefileshare {Vault} --policy-name shares --storage-account files1 --azure-file-share docs", token);
            Assert.Equal("docs", protectedItem.Text("properties", "friendlyName"));

            var container = Assert.Single(await az.ListAsync($"backup container list {Vault} --backup-management-type AzureStorage", token));
            Assert.Equal("StorageContainer;Storage;lab;files1", container.Text("name"));
            Assert.Equal(container.Text("id"), (await az.RunAsync($"backup container show {Vault} -n files1 --backup-management-type AzureStorage", token)).Text("id"));
            var item = Assert.Single(await az.ListAsync($"backup item list {Vault} --backup-management-type AzureStorage", token));
            Assert.Equal(("docs", "IRPending", "AzureFileShare"), (item.Text("properties", "friendlyName"), item.Text("properties", "protectionState"), item.Text("properties", "workloadType")));
        }

        /// <summary>Backs up and returns the name of the recovery point.</summary>
        public async Task<string> BackUpAsync(CancellationToken token)
        {
            var until = TimeProvider.System.GetUtcNow().AddDays(30).ToString("dd-MM-yyyy", CultureInfo.InvariantCulture);
            var job = await EndedAsync(await az.RunAsync($"backup protection backup-now {Item} --retain-until {until}", token), token);
            Assert.Equal(("Backup", "Completed"), (job.Text("properties", "operation"), job.Text("properties", "status")));
            Assert.Contains(Names(await az.ListAsync($"backup job list {Vault} --backup-management-type AzureStorage", token)), name => name == job.Text("name"));
            Assert.Empty(await az.ListAsync($"backup job list {Vault} --backup-management-type AzureIaasVM", token));
            var point = Assert.Single(await az.ListAsync($"backup recoverypoint list {Item} --workload-type AzureFileShare", token)).Text("name")!;
            var shown = await az.RunAsync($"backup recoverypoint show {Item} --workload-type AzureFileShare -n {point}", token);
            Assert.Equal(("AzureFileShareRecoveryPoint", "FileSystemConsistent"), (shown.Text("properties", "objectType"), shown.Text("properties", "recoveryPointType")));
            Assert.Contains("/docs?sharesnapshot=", shown.Text("properties", "fileShareSnapshotUri"), StringComparison.Ordinal);
            // az 2.74 shows the tier, and its own --tier looks for it where its library does not put it.
            if (edition is AzEdition.Debian13)
                Assert.Equal("InstantRP", Assert.Single(Assert.IsType<JsonArray>(shown!["properties"]!["recoveryPointTierDetails"])).Text("type"));
            return point;
        }

        public async Task RestoreSharesAsync(string point, CancellationToken token)
        {
            var plan = Path.Combine(Docs, "plan.txt");
            var restore = $"backup restore restore-azurefileshare {Vault} -c files1 -i docs -r {point} --restore-mode";
            await File.WriteAllTextAsync(plan, "changed", token);

            Assert.Equal("2", Count(await CompletedAsync($"{restore} OriginalLocation --resolve-conflict Skip", token), "Skipped"));
            Assert.Equal("changed", await File.ReadAllTextAsync(plan, token));
            await CompletedAsync($"{restore} OriginalLocation --resolve-conflict Overwrite", token);
            Assert.Equal("the plan", await File.ReadAllTextAsync(plan, token));
            // az itself knows these two alone; the API has two more.
            Assert.Equal("Completed", (await RestoreByRestAsync(point, "CreateCopy", token)).Text("properties", "status"));
            Assert.Equal(2, Directory.GetFiles(Docs, "plan*").Length);
            Assert.Equal("Failed", (await RestoreByRestAsync(point, "FailOnConflict", token)).Text("properties", "status"));

            var elsewhere = await CompletedAsync($"{restore} AlternateLocation --resolve-conflict Overwrite --target-storage-account files1 --target-file-share spare", token);
            Assert.Equal(("2", "0"), (Count(elsewhere, "Restored"), Count(elsewhere, "Failed")));
            Assert.Equal("dear reader", await File.ReadAllTextAsync(Path.Combine(Spare, "letters", "a letter.txt"), token));
        }

        public async Task RestoreFilesAsync(string point, CancellationToken token)
        {
            var restore = $"backup restore restore-azurefiles {Vault} -c files1 -i docs -r {point} --restore-mode";
            var letters = Path.Combine(Docs, "letters");
            Directory.Delete(letters, true);
            await CompletedAsync($"{restore} OriginalLocation --resolve-conflict Overwrite --source-file-type Directory --source-file-path letters", token);
            Assert.Equal("dear reader", await File.ReadAllTextAsync(Path.Combine(letters, "a letter.txt"), token));

            var one = await EndedAsync(
                await az.RunAsync([.. Words($"{restore} AlternateLocation --resolve-conflict Skip --source-file-type File --target-storage-account files1 --target-file-share spare --target-folder back/here --source-file-path"), "letters/a letter.txt", "plan.txt"], token),
                token);
            Assert.Equal(("Completed", "2"), (one.Text("properties", "status"), Count(one, "Restored")));
            Assert.Equal("dear reader", await File.ReadAllTextAsync(Path.Combine(Spare, "back", "here", "a letter.txt"), token));

            var missing = await EndedAsync(await az.RunAsync($"{restore} OriginalLocation --resolve-conflict Overwrite --source-file-type File --source-file-path nothere.txt", token), token);
            Assert.Equal("Failed", missing.Text("properties", "status"));
        }

        public async Task ChangePoliciesAsync(CancellationToken token)
        {
            await az.RunAsync([.. Words($"backup policy create {Vault} -n hourly --backup-management-type AzureStorage --policy"), Hourly], token);
            var yes = edition is AzEdition.Debian13 ? " --yes" : "";
            await az.RunAsync($"backup item set-policy {Vault} -c files1 -n docs -p hourly --backup-management-type AzureStorage{yes}", token);
            Assert.Equal("hourly", (await ShowAsync(token)).Text("properties", "policyName"));
            var hourly = (await az.RunAsync($"backup policy show {Vault} -n hourly", token))!;
            hourly["properties"]!["retentionPolicy"]!["dailySchedule"]!["retentionDuration"]!["count"] = 45;
            await az.RunAsync([.. Words($"backup policy set {Vault} -n hourly --policy"), hourly.ToJsonString()], token);
            Assert.Equal("docs", Assert.Single(await az.ListAsync($"backup policy list-associated-items {Vault} -n hourly --backup-management-type AzureStorage", token)).Text("properties", "friendlyName"));
        }

        public async Task LetGoAsync(CancellationToken token)
        {
            await az.RunAsync($"backup protection disable {Item} --yes", token);
            Assert.Equal("ProtectionStopped", (await ShowAsync(token)).Text("properties", "protectionState"));
            // az 2.74 reads the policy that a stopped item has not, and ends with an exception.
            if (edition is AzEdition.Debian12)
                await az.RunAsync($"backup protection resume {Item} -p shares", token);
            else
                await PutAsync(new() { ["policyId"] = $"{lab.VaultPath}/backupPolicies/shares" }, token);
            Assert.Equal("Protected", (await ShowAsync(token)).Text("properties", "protectionState"));

            await EndedAsync(await az.RunAsync($"backup protection disable {Item} --delete-backup-data true --yes", token), token);
            Assert.True((bool)(await ShowAsync(token))["properties"]!["isScheduledForDeferredDelete"]!);
            var unregister = $"backup container unregister {Vault} -c files1 --backup-management-type AzureStorage --yes";
            Assert.Contains("BMSUserErrorContainerHasDatasources", await az.FailAsync(unregister, token), StringComparison.Ordinal);
            // az's own command sends nothing for shares.
            Assert.Null(await az.RunAsync($"backup protection undelete {Item}", token));
            await PutAsync(new() { ["policyId"] = "", ["protectionState"] = "ProtectionStopped", ["isRehydrate"] = true }, token);

            await az.RunAsync("backup vault backup-properties set -g lab -n vault1 --soft-delete-feature-state Disable", token);
            await EndedAsync(await az.RunAsync($"backup protection disable {Item} --delete-backup-data true --yes", token), token);
            Assert.Empty(await az.ListAsync($"backup item list {Vault} --backup-management-type AzureStorage", token));
            await az.RunAsync(unregister, token);
            Assert.Empty(await az.ListAsync($"backup container list {Vault} --backup-management-type AzureStorage", token));
            await az.RunAsync("backup vault delete -g lab -n vault1 --yes", token);
        }

        private async Task<JsonNode> RestoreByRestAsync(string point, string copyOptions, CancellationToken token)
        {
            var item = (await ShowAsync(token)).Text("id");
            var operation = await client.ChangeAsync(HttpMethod.Post, $"{item}/recoveryPoints/{point}/restore?api-version={Lab.BackupVersion}", new JsonObject
            {
                ["properties"] = new JsonObject
                {
                    ["objectType"] = "AzureFileShareRestoreRequest",
                    ["recoveryType"] = "OriginalLocation",
                    ["restoreRequestType"] = "FullShareRestore",
                    ["copyOptions"] = copyOptions,
                    ["sourceResourceId"] = lab.StorageAccountId("files1"),
                },
            }, token);
            return await Jobs.WaitAsync(client, lab, operation.Text("properties", "jobId")!, TimeSpan.FromMinutes(10), token);
        }

        private async Task PutAsync(JsonObject properties, CancellationToken token)
        {
            properties["protectedItemType"] = "AzureFileShareProtectedItem";
            properties["sourceResourceId"] = lab.StorageAccountId("files1");
            await client.ChangeAsync(HttpMethod.Put, $"{(await ShowAsync(token)).Text("id")}?api-version={Lab.BackupVersion}", new JsonObject { ["properties"] = properties }, token);
        }

        private async Task<JsonNode> ShowAsync(CancellationToken token) =>
            (await az.RunAsync($"backup item show {Vault} -c files1 -n docs --backup-management-type AzureStorage --workload-type AzureFileShare", token))!;

        private async Task<JsonNode> CompletedAsync(string command, CancellationToken token)
        {
            var job = await EndedAsync(await az.RunAsync(command, token), token);
            Assert.True(job.Text("properties", "status") == "Completed", job.ToJsonString());
            return job;
        }

        private Task<JsonNode> EndedAsync(JsonNode? printed, CancellationToken token) => Jobs.WaitAsync(client, lab, (string)printed!["name"]!, TimeSpan.FromMinutes(10), token);

        private static string? Count(JsonNode job, string what) => job.Text("properties", "extendedInfo", "propertyBag", $"Number Of {what} Files");

        private static string[] Words(string commandLine) => commandLine.Split(' ');

        private static IEnumerable<string?> Names(IEnumerable<JsonNode> resources) => resources.Select(resource => resource.Text("name"));
    }
}
