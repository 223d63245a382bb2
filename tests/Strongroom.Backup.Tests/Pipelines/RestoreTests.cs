using System.Text.Json.Nodes;
using Strongroom.Arm;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.StorageAccounts;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Blocks;
using Strongroom.Blocks.Vhd;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.Pipelines;

public sealed class RestoreTests
{
    [Fact]
    public async Task Every_disk_is_a_VHD_with_the_content_of_its_moment()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var was = machine.Disks.ConvertAll(d => (byte[])d.Content.Clone());
        machine.Disks[0].Write(0, 1, 2, 3, 4);
        await rig.BackUpAsync(vault, machine);

        var job = await rig.RestoreAsync(vault, machine, point);

        Assert.Equal(JobStates.Completed, job.State);
        var folder = ContainerOf(rig, job);
        Assert.StartsWith("web1-", Path.GetFileName(folder), StringComparison.Ordinal);
        var os = Assert.Single(Directory.GetFiles(folder, "web1-osdisk-*.vhd"));
        var data = Assert.Single(Directory.GetFiles(folder, "web1-datadisk-000-*.vhd"));
        await AssertVhdAsync(os, was[0]);
        await AssertVhdAsync(data, was[1]);
        Assert.Equal([folder], Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1")));
    }

    [Fact]
    public async Task Configuration_and_template_name_the_blobs_that_are_there()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);

        var job = await rig.RestoreAsync(vault, machine, point);

        var folder = ContainerOf(rig, job);
        var container = Path.GetFileName(folder);
        var prefix = $"https://host:1/storage/restores1/{container}/";
        Assert.Equal(prefix + job.Properties["Config Blob Name"], job.Properties["Config Blob Uri"]);
        Assert.Equal($"config-web1-{job.Id}.json", job.Properties["Config Blob Name"]);
        Assert.Equal($"{prefix}azuredeploy{job.Id}.json", job.Properties["Template Blob Uri"]);
        Assert.Equal("Recover disks", job.Properties["Job Type"]);
        Assert.Contains("Recovery point time ", job.Properties.Keys);

        var config = await ReadAsync(folder, prefix, job.Properties["Config Blob Uri"]);
        var template = await ReadAsync(folder, prefix, job.Properties["Template Blob Uri"]);
        var storage = config["properties"]!["storageProfile"]!;
        var uris = new[] { (string)storage["osDisk"]!["vhd"]!["uri"]!, (string)storage["dataDisks"]![0]!["vhd"]!["uri"]! };
        var imported = template["resources"]!.AsArray().Where(r => (string)r!["type"]! == "Microsoft.Compute/disks").Select(r => (string)r!["properties"]!["creationData"]!["sourceUri"]!);
        Assert.Equal(uris, imported);
        Assert.All(uris, uri => Assert.NotNull(rig.Accounts.FindBlob("restores1", container, uri[prefix.Length..])));
        Assert.Equal("Microsoft.Compute/virtualMachines", (string)template["resources"]!.AsArray()[^1]!["type"]!);
        Assert.Equal(machine.Describe().ResourceId, (string)config["id"]!);
    }

    [Fact]
    public async Task Only_the_wanted_disks_are_restored()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);

        var job = await rig.RestoreAsync(vault, machine, point, [0]);

        var folder = ContainerOf(rig, job);
        await AssertVhdAsync(Assert.Single(Directory.GetFiles(folder, "*.vhd")), machine.Disks[1].Content);
        var config = await ReadAsync(folder, "", job.Properties["Config Blob Name"]);
        Assert.Null(config["properties"]!["storageProfile"]!["osDisk"]);
    }

    [Fact]
    public async Task Without_its_storage_account_the_job_fails_and_leaves_nothing()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig, hasAccount: false);

        var job = await rig.RestoreAsync(vault, machine, point);

        Assert.Equal((JobStates.Failed, 400048), (job.State, Assert.Single(job.Errors).Code));
        Assert.False(Directory.Exists(rig.StorageFolder));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_point_that_the_vaults_log_has_lost_says_so_and_the_others_restore(bool deletes)
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, first) = await BackedUpAsync(rig);
        var was = machine.Disks.ConvertAll(d => (byte[])d.Content.Clone());
        machine.Disks[0].Write(0, 1, 2, 3, 4);
        await rig.BackUpAsync(vault, machine);
        var lost = (await rig.PointsAsync(vault, machine))[0];
        await rig.HitEndOfLogAsync(vault, deletes);

        var failed = await rig.RestoreAsync(vault, machine, lost);
        var restored = await rig.RestoreAsync(vault, machine, first);

        Assert.Equal(JobStates.Failed, failed.State);
        var message = Assert.Single(failed.Errors).Message;
        Assert.Contains("log has lost the entry of this recovery point", message, StringComparison.Ordinal);
        Assert.Contains("from a copy of the vault's folder", message, StringComparison.Ordinal);
        Assert.Contains("Other recovery points are not affected", message, StringComparison.Ordinal);
        Assert.Equal(JobStates.Completed, restored.State);
        await AssertVhdAsync(Assert.Single(Directory.GetFiles(ContainerOf(rig, restored), "web1-osdisk-*.vhd")), was[0]);
    }

    [Fact]
    public async Task In_a_target_group_the_disks_appear_as_resources()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.AddGroupAsync("Target");
        var group = ResourceId.ForGroup(Rig.Subscription, "TARGET").ToString();

        var job = await rig.RestoreAsync(vault, machine, point, group: group);
        var again = await rig.RestoreAsync(vault, machine, point, group: group);

        Assert.Equal((JobStates.Completed, JobStates.Completed), (job.State, again.State));
        var disks = await rig.Resources.ListAsync(Rig.Subscription, "target", "Microsoft.Compute/disks", Rig.Token);
        Assert.Equal(4, disks.Count);
        Assert.All(disks, d => Assert.Equal("Target", d.Id.ResourceGroup));
        Assert.All(disks, d => Assert.StartsWith("https://host:1/storage/restores1/", (string)d.Properties["creationData"]!["sourceUri"]!, StringComparison.Ordinal));
        Assert.Equal(2, disks.Count(d => (string?)d.Properties["osType"] == "Linux"));
    }

    [Fact]
    public async Task A_target_group_that_is_missing_fails_the_job_before_anything_is_written()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);

        var job = await rig.RestoreAsync(vault, machine, point, group: ResourceId.ForGroup(Rig.Subscription, "none").ToString());

        Assert.Equal((JobStates.Failed, 400141), (job.State, Assert.Single(job.Errors).Code));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1")));
    }

    [Theory]
    [InlineData((int)LedgerFault.Throws)]
    [InlineData((int)LedgerFault.Lost)]
    [InlineData((int)LedgerFault.ThrowsAfterwards)]
    public async Task A_restore_that_is_cut_off_anywhere_is_whole_after_the_next_run(int how)
    {
        for (var failsFrom = 1; failsFrom <= 4; failsFrom++)
        {
            await using var rig = await Rig.NewAsync();
            var (vault, machine, point) = await BackedUpAsync(rig);
            var real = rig.Ledger;
            var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, new(point.Name, Rig.AccountId, null, null, "https://host:1"), Rig.Token);
            var faulty = new FaultyLedger(real, (LedgerFault)how, failsFrom);
            rig.Ledger = faulty;
            await using (await rig.StartWorkerAsync())
                await Rig.UntilAsync(async () => faulty.HasFailed || !(await real.FindAsync(vault.Key, operation.Id, Rig.Token))!.IsLive);
            faulty.IsHealed = true;
            rig.Ledger = real;

            var job = await rig.RunAsync(vault, operation);

            // A report that could not be written is no reason to go on: then the job failed and nothing is left of it.
            var left = Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1"));
            if (job.State == JobStates.Failed) Assert.Empty(left);
            else
            {
                Assert.Equal([ContainerOf(rig, job)], left);
                await AssertVhdAsync(Assert.Single(Directory.GetFiles(left[0], "*osdisk*")), machine.Disks[0].Content);
            }
        }
    }

    [Fact]
    public async Task A_run_that_lost_its_job_does_no_harm_to_what_the_next_one_restored()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var operation = await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, new(point.Name, Rig.AccountId, null, null, "https://host:1"), Rig.Token);
        // A worker that froze: its lease is over when it wakes up after the job was done by another.
        var stale = (await rig.Ledger.ClaimAsync("frozen", TimeSpan.FromHours(-1), Rig.Token))!;
        var job = await rig.RunAsync(vault, operation);
        Assert.Equal(JobStates.Completed, job.State);

        await Assert.ThrowsAsync<ClaimLostException>(() => rig.RestoreHandler.RunAsync(new(rig.Ledger, stale, rig.Time), Rig.Token));

        var folder = Assert.Single(Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1")));
        Assert.Equal(4, Directory.GetFiles(folder).Length);
        await AssertVhdAsync(Assert.Single(Directory.GetFiles(folder, "*osdisk*")), machine.Disks[0].Content);
    }

    [Fact]
    public async Task A_run_that_loses_its_job_while_it_writes_publishes_nothing()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        await rig.Admission.RestoreAsync(vault, Rig.NativeName(machine), point.Name, new(point.Name, Rig.AccountId, null, null, "https://host:1"), Rig.Token);
        var claim = (await rig.Ledger.ClaimAsync("slow", TimeSpan.FromHours(1), Rig.Token))!;
        var ledger = new FaultyLedger(rig.Ledger, LedgerFault.Lost, failsFrom: 2);

        await Assert.ThrowsAsync<ClaimLostException>(() => rig.RestoreHandler.RunAsync(new(ledger, claim, rig.Time), Rig.Token));

        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(rig.StorageFolder, "restores1")));
    }

    [Fact]
    public void A_container_is_out_of_sight_until_it_is_published_and_an_older_run_cannot_touch_it()
    {
        var root = Directory.CreateTempSubdirectory("storage-test-");
        try
        {
            var accounts = new StorageAccountFolders(root.FullName);
            var mine = accounts.BeginContainer("account1", "web1-x", 2);
            File.WriteAllText(Path.Combine(mine, "a.json"), "new");
            Assert.Null(accounts.FindBlob("account1", Path.GetFileName(mine), "a.json"));

            var older = accounts.BeginContainer("account1", "web1-x", 1);
            File.WriteAllText(Path.Combine(older, "a.json"), "old");
            accounts.AbandonContainer("account1", "web1-x", 1);
            accounts.PublishContainer("account1", "web1-x", 2);

            Assert.Equal("new", File.ReadAllText(accounts.FindBlob("account1", "web1-x", "a.json")!));
            Assert.Single(Directory.GetFileSystemEntries(Path.Combine(root.FullName, "account1")));
            // What a dead run left is removed by the next one.
            accounts.BeginContainer("account1", "web1-x", 3);
            accounts.BeginContainer("account1", "web1-x", 4);
            Assert.Equal(2, Directory.GetFileSystemEntries(Path.Combine(root.FullName, "account1")).Length);
            // And where none comes, by the next start.
            accounts.SweepDrafts();
            Assert.Single(Directory.GetFileSystemEntries(Path.Combine(root.FullName, "account1")));
            Assert.NotNull(accounts.FindBlob("account1", "web1-x", "a.json"));
        }
        finally
        {
            root.Delete(true);
        }
    }

    [Theory]
    [InlineData("..", "web1-x", "a.json")]
    [InlineData("account1", "..", "a.json")]
    [InlineData("account1", "web1-x", "..")]
    [InlineData("account1", "web1-x", "../../secret")]
    [InlineData("account1", "web1-x", "link")]
    [InlineData("account1", ".web1-x.1", "a.json")]
    [InlineData("", "web1-x", "a.json")]
    public void No_name_leads_out_of_the_storage(string account, string container, string blob)
    {
        var root = Directory.CreateTempSubdirectory("storage-test-");
        try
        {
            var accounts = new StorageAccountFolders(Path.Combine(root.FullName, "storage"));
            File.WriteAllText(Path.Combine(root.FullName, "secret"), "s");
            File.WriteAllText(Path.Combine(accounts.BeginContainer("account1", "web1-x", 1), "a.json"), "a");
            File.CreateSymbolicLink(Path.Combine(root.FullName, "storage", "account1", ".web1-x.1", "link"), Path.Combine(root.FullName, "secret"));
            Assert.Null(accounts.FindBlob("account1", ".web1-x.1", "a.json"));
            accounts.PublishContainer("account1", "web1-x", 1);
            Assert.NotNull(accounts.FindBlob("account1", "web1-x", "a.json"));

            Assert.Null(accounts.FindBlob(account, container, blob));
            accounts.DeleteAccount("..");
            accounts.DeleteContainer("account1", "../..");
            Assert.True(File.Exists(Path.Combine(root.FullName, "secret")));
        }
        finally
        {
            root.Delete(true);
        }
    }

    [Fact]
    public async Task A_point_that_the_store_has_deleted_fails_the_job_with_the_stores_words()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine, point) = await BackedUpAsync(rig);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        await store.DeleteSnapshotAsync(new(point.SnapshotId), Rig.Token);

        var job = await rig.RestoreAsync(vault, machine, point);

        Assert.Equal((JobStates.Failed, 400003), (job.State, Assert.Single(job.Errors).Code));
        Assert.False(Directory.Exists(Path.Combine(rig.StorageFolder, "restores1")));
        Assert.Contains("was deleted from the vault", job.Errors[0].Message, StringComparison.Ordinal);
        Assert.Equal(400003, rig.RestoreHandler.Explain(new StoreException(StoreErrorKind.Io, "x"))!.Code);
        Assert.Null(rig.RestoreHandler.Explain(new InvalidOperationException()));
    }

    private static async Task<(Vault Vault, FakeMachine Machine, RecoveryPoint Point)> BackedUpAsync(Rig rig, bool hasAccount = true)
    {
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1), FakeDisk.New(0, "data", 2, (1 << 20) + 4096));
        if (hasAccount) await rig.AddStorageAccountAsync();
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);
        return (vault, machine, (await rig.PointsAsync(vault, machine))[0]);
    }

    private static string ContainerOf(Rig rig, Job job) => Path.Combine(rig.StorageFolder, "restores1", job.Properties["Config Blob Container Name"]);

    private static async Task<JsonObject> ReadAsync(string folder, string prefix, string uri) =>
        JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, uri[prefix.Length..]), Rig.Token))!.AsObject();

    private static async Task AssertVhdAsync(string path, byte[] expected)
    {
        await using var blocks = await FixedVhd.OpenAsync(DiskFile.OpenRegular(path), Rig.Token);
        // A VHD is of whole mebibytes; what is beyond the disk is zero.
        var content = new byte[blocks.LengthBytes];
        await blocks.ReadAsync(0, content, Rig.Token);
        Assert.True(expected.AsSpan().SequenceEqual(content.AsSpan(0, expected.Length)), $"'{path}' differs.");
        Assert.True(content.AsSpan(expected.Length).IndexOfAnyExcept((byte)0) < 0);
        Assert.True(content.Length - expected.Length < FixedVhdWriter.SizeUnitBytes);
    }
}
