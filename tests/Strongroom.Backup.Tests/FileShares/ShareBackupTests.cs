using System.Globalization;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.Tests.Support;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.FileShares;

/// <summary>Shares are backed up, restored and deleted.</summary>
public sealed class ShareBackupTests
{
    [Fact]
    public async Task A_backup_makes_a_point_with_the_files_and_the_next_one_reads_what_changed()
    {
        await using var share = await ProtectedShare.NewAsync(("a.txt", "one"), ("deep/b.bin", new string('b', 300_000)));
        Settle(share.Folder);

        var first = await share.BackUpAsync();
        share.Write("a.txt", "two");
        var second = await share.BackUpAsync();

        Assert.Equal((JobStates.Completed, JobStates.Completed), (first.State, second.State));
        Assert.Equal(("docs", "files1"), (first.Properties["File Share Name"], first.Properties["Storage Account Name"]));
        var points = await share.Rig.Points.ListAsync(share.Item.Key, Rig.Token);
        Assert.Equal(2, points.Count);
        Assert.All(points, point => Assert.Equal(("FileSystemConsistent", 2L, 2L), (point.Consistency, point.Share!.Files, point.Share.Folders)));
        Assert.True(long.Parse(second.InternalProperties["strongroom.bytesNew"], CultureInfo.InvariantCulture) < 100_000);
        var now = await share.NowAsync();
        Assert.Equal((ProtectionStates.Protected, "Completed", points[0].Time), (now.ProtectionState, now.LastBackupStatus, now.LastRecoveryPointTime));
        Assert.Equal(0, share.Rig.Shares.Snapshots);
    }

    [Fact]
    public async Task A_whole_share_is_restored_over_what_is_there()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"), ("sub/b.txt", "bee"));
        share.Write("a.txt", "changed");
        share.Delete("sub/b.txt");
        share.Write("new.txt", "stays");

        var job = await share.RestoreAsync(ExistingFiles.Overwrite);

        Assert.Equal(JobStates.Completed, job.State);
        Assert.Equal(("one", "bee", "stays"), (share.Read("a.txt"), share.Read("sub/b.txt"), share.Read("new.txt")));
        Assert.Equal(("2", "0", "0"), (job.Properties["Number Of Restored Files"], job.Properties["Number Of Skipped Files"], job.Properties["Number Of Failed Files"]));
    }

    [Theory]
    [InlineData(ExistingFiles.Skip, "mine", false, "1", "1")]
    [InlineData(ExistingFiles.CreateCopy, "mine", true, "2", "0")]
    public async Task What_is_there_is_treated_as_asked(ExistingFiles existing, string content, bool hasCopy, string restored, string skipped)
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"), ("b.txt", "two"));
        share.Write("a.txt", "mine");
        share.Delete("b.txt");

        var job = await share.RestoreAsync(existing);

        Assert.Equal((JobStates.Completed, restored, skipped), (job.State, job.Properties["Number Of Restored Files"], job.Properties["Number Of Skipped Files"]));
        Assert.Equal((content, "two"), (share.Read("a.txt"), share.Read("b.txt")));
        Assert.Equal(hasCopy, Directory.GetFiles(share.Folder).Any(file => File.ReadAllText(file) == "one"));
    }

    [Fact]
    public async Task A_conflict_fails_the_job_before_anything_is_written_where_that_was_asked()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"), ("b.txt", "two"));
        share.Delete("b.txt");

        var job = await share.RestoreAsync(ExistingFiles.FailOnConflict);

        Assert.Equal(JobStates.Failed, job.State);
        Assert.Contains("a.txt", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(share.Folder, "b.txt")));
    }

    [Fact]
    public async Task Files_and_folders_are_restored_to_folders_of_another_share()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("x/y/a.txt", "one"), ("x/z/b.txt", "two"), ("c.txt", "three"));
        var other = share.Rig.NewShare("files2", "spare");

        var job = await share.RestoreAsync(ExistingFiles.Overwrite, ("files2", "spare"), new("x/y", true, "back"), new("c.txt", false, "back/files"), new("gone.txt", false, null));

        Assert.Equal(JobStates.CompletedWithWarnings, job.State);
        Assert.Contains("gone.txt", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.Equal(("one", "three"), (Read(other, "back/y/a.txt"), Read(other, "back/files/c.txt")));
        Assert.Equal(("2", "1"), (job.Properties["Number Of Restored Files"], job.Properties["Number Of Failed Files"]));
        Assert.Equal("files2/spare/", job.Properties["RestoreDestination"]);
        Assert.Equal("three", share.Read("c.txt"));
    }

    [Fact]
    public async Task Items_go_back_to_their_own_places()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("x/y/a.txt", "one"));
        Directory.Delete(Path.Combine(share.Folder, "x"), true);

        var job = await share.RestoreAsync(ExistingFiles.Overwrite, null, new SharePart("x/y/a.txt", false, null));

        Assert.Equal((JobStates.Completed, "one"), (job.State, share.Read("x/y/a.txt")));
    }

    [Fact]
    public async Task What_could_not_be_read_is_named_and_the_point_is_there()
    {
        await using var share = await ProtectedShare.NewAsync(("a.txt", "one"));
        share.Rig.Shares.Problems.Add(new(TreePath.Of("locked/file.txt"), "The file cannot be opened."));

        var job = await share.BackUpAsync();

        Assert.Equal(JobStates.CompletedWithWarnings, job.State);
        Assert.Contains("locked/file.txt", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.Equal(1, (await share.NewestAsync()).Share!.ProblemCount);
        var now = await share.NowAsync();
        Assert.Equal(("CompletedWithWarnings", false), (now.LastBackupStatus, now.IsFailing));
        Assert.Contains("locked/file.txt", now.LastBackupError!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_share_that_has_lost_all_its_files_is_backed_up_with_a_warning()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"));
        share.Delete("a.txt");

        var job = await share.BackUpAsync();

        Assert.Equal(JobStates.CompletedWithWarnings, job.State);
        Assert.Contains("mounted", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.Equal(JobStates.Completed, (await share.BackUpAsync()).State);
    }

    [Fact]
    public async Task A_point_on_its_way_is_not_listed()
    {
        await using var share = await ProtectedShare.NewAsync(("a.txt", "one"));
        var gate = new TaskCompletionSource();
        share.Rig.Shares.WhileWriting = () => gate.Task;
        var operation = await share.Rig.Admission.BackUpAsync(share.Vault, share.Item.NativeName, null, Rig.Token);
        await using var worker = await share.Rig.StartWorkerAsync();
        await Rig.UntilAsync(async () => await share.Rig.Ledger.FindInTransferAsync(share.Item.Key, Rig.Token) is not null);

        Assert.Empty(await share.Rig.Listing.ListAsync(share.Item, null, null, null, 10, Rig.Token));
        gate.SetResult();
        await share.Rig.EndOfAsync(share.Vault, operation.JobId!.Value);
        Assert.Single(await share.Rig.Listing.ListAsync(share.Item, null, null, null, 10, Rig.Token));
    }

    [Fact]
    public async Task A_server_that_fails_once_is_asked_again()
    {
        await using var share = await ProtectedShare.NewAsync(("a.txt", "one"));
        var asked = 0;
        share.Rig.Shares.WhileSnapshotting = () => ++asked == 1 ? throw new ShareException(ShareProblem.ServerFailed, "It is starting.") : Task.CompletedTask;
        var operation = await share.Rig.Admission.BackUpAsync(share.Vault, share.Item.NativeName, null, Rig.Token);
        await using var worker = await share.Rig.StartWorkerAsync();
        await Rig.UntilAsync(() =>
        {
            share.Rig.Time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(asked > 1);
        });

        Assert.Equal(JobStates.Completed, (await share.Rig.EndOfAsync(share.Vault, operation.JobId!.Value)).State);
    }

    [Theory]
    [InlineData(ExistingFiles.Skip)]
    [InlineData(ExistingFiles.FailOnConflict)]
    [InlineData(ExistingFiles.CreateCopy)]
    public async Task A_restore_that_a_stop_of_the_server_cut_off_knows_its_own_files(ExistingFiles existing)
    {
        await using var share = await ProtectedShare.BackedUpAsync(("x/a.txt", "one"), ("b.txt", "two"));
        var other = share.Rig.NewShare("files2", "spare");
        var restored = new TaskCompletionSource();
        share.Rig.Shares.WhenRestored = token =>
        {
            restored.SetResult();
            return Task.Delay(Timeout.Infinite, token);
        };
        var request = new ShareRestoreRequest((await share.NewestAsync()).Name, RecoveryTypes.AlternateLocation, RigShares.AccountId("files2"), "spare", "", [], existing);
        var operation = await share.Rig.Admission.RestoreShareAsync(share.Vault, share.Item.NativeName, request.RecoveryPoint, request, Rig.Token);
        await using (await share.Rig.StartWorkerAsync()) await restored.Task;
        share.Rig.Shares.WhenRestored = static _ => Task.CompletedTask;

        var job = await share.Rig.RunAsync(share.Vault, operation);

        Assert.Equal((JobStates.Completed, "2", "0"), (job.State, job.Properties["Number Of Restored Files"], job.Properties["Number Of Skipped Files"]));
        Assert.Equal(["b.txt", "x/a.txt"], Directory.EnumerateFiles(other, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(other, path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nothing_restored_is_a_failure_and_so_is_a_folder_asked_for_as_a_file()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("x/a.txt", "one"));
        share.Write("x/a.txt", "mine");

        var absent = await share.RestoreAsync(ExistingFiles.Overwrite, null, new SharePart("gone.txt", false, null));
        var folderAsFile = await share.RestoreAsync(ExistingFiles.Overwrite, null, new SharePart("x", false, null));

        Assert.Equal((JobStates.Failed, JobStates.Failed), (absent.State, folderAsFile.State));
        Assert.Contains("gone.txt", Assert.Single(absent.Errors).Message, StringComparison.Ordinal);
        Assert.Contains("folder", Assert.Single(folderAsFile.Errors).Message, StringComparison.Ordinal);
        Assert.Equal("mine", share.Read("x/a.txt"));
    }

    [Fact]
    public async Task What_a_restore_misses_is_a_line_of_the_job_however_long_its_path()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"));

        var job = await share.RestoreAsync(ExistingFiles.Overwrite, null, new SharePart(string.Concat(Enumerable.Repeat("long/", 10_000)) + "b.txt", false, null));

        var message = Assert.Single(job.Errors).Message;
        Assert.InRange(message.Length, 1, 2000);
        Assert.Contains("has no 'long/long/", message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_is_cancelled_makes_no_point_and_says_so()
    {
        await using var share = await ProtectedShare.NewAsync(("a.txt", "one"));
        var (rig, vault, item) = (share.Rig, share.Vault, share.Item);
        var operation = await rig.Admission.BackUpAsync(vault, item.NativeName, null, Rig.Token);
        rig.Shares.WhileWriting = async () =>
        {
            await rig.Admission.CancelAsync(vault, operation.JobId!.Value, Rig.Token);
            // The worker looks for it each second.
            await Task.Delay(TimeSpan.FromSeconds(5), Rig.Token);
        };

        var job = await rig.RunAsync(vault, operation);

        Assert.Equal((JobStates.Cancelled, 400158), (job.State, Assert.Single(job.Errors).Code));
        Assert.Empty(await rig.Points.ListAsync(item.Key, Rig.Token));
        Assert.Equal(0, rig.Shares.Snapshots);
    }

    [Fact]
    public async Task A_share_of_another_region_is_not_restored_into()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"));
        var other = share.Rig.NewShare("files2", "spare");
        share.Rig.Shares.Locations["files2"] = "cellar";

        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => share.RestoreAsync(ExistingFiles.Overwrite, ("files2", "spare")));

        Assert.Equal(BackupRefusal.InvalidInput, refused.Refusal);
        Assert.Contains("'cellar'", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(other));
    }

    [Fact]
    public async Task A_share_that_is_gone_fails_the_job_and_says_so()
    {
        await using var share = await ProtectedShare.NewAsync();
        share.Rig.NewShare("files1", "other");
        share.Rig.Shares.Folders.Remove(("files1", "docs"));

        var job = await share.BackUpAsync();

        Assert.Equal((JobStates.Failed, "UserErrorFileShareNotFound"), (job.State, Assert.Single(job.Errors).Title));
        Assert.True((await share.NowAsync()).IsFailing);
    }

    [Fact]
    public async Task Deleted_with_its_data_its_account_can_be_unregistered()
    {
        await using var share = await ProtectedShare.NewAsync(softDelete: false, ("a.txt", "one"));
        await share.BackUpAsync();

        var job = await share.Rig.RunAsync(share.Vault, (await share.Rig.Protection.DeleteAsync(share.Vault, share.Item.NativeName, Rig.Token))!);

        Assert.Equal((JobStates.Completed, "1"), (job.State, job.Properties["Number of Recovery Points"]));
        Assert.Null(await share.Rig.Items.FindAsync(share.Item.Key, Rig.Token));
        Assert.Empty((await share.Rig.Stores.OpenAsync(share.Vault.Key, Rig.Token)).Snapshots);
        Assert.Contains(share.Item.Key, share.Rig.Shares.Ended);
        Assert.NotNull(await share.Rig.Registration.UnregisterAsync(share.Vault, RigShares.Container("files1"), Rig.Token));
    }

    [Fact]
    public async Task A_lost_catalogue_is_made_again_with_its_registration()
    {
        await using var share = await ProtectedShare.BackedUpAsync(("a.txt", "one"));
        var point = await share.NewestAsync();
        await using var lost = await Rig.NewAsync();

        await new CatalogueRebuild(lost.Vaults, lost.Items, lost.Policies, lost.Containers, lost.Resources, lost.Get<ICatalogueWriter>(), lost.Time)
            .RunAsync(await share.Rig.Stores.OpenAsync(share.Vault.Key, Rig.Token), null, Rig.Subscription, Rig.Token);

        Assert.Equal(point.Share!.Tree, (await lost.NewestAsync(share.Item)).Share!.Tree);
        var container = Assert.Single(await lost.Containers.ListAsync(share.Vault.Key, Rig.Token));
        Assert.Equal(("storage;lab;files1", RigShares.AccountId("files1"), 1), (container.Container.NativeName, container.Container.SourceResourceId, container.Items));
    }

    private static string Read(string folder, string path) => File.ReadAllText(Path.Combine(folder, path));

    /// <summary>Waits until the change times are old enough to be trusted.</summary>
    private static void Settle(string folder)
    {
        while (Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Any(path => DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < TimeSpan.FromSeconds(2.1))) Thread.Sleep(50);
    }
}
