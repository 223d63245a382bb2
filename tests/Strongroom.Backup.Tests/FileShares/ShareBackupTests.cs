using System.Globalization;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.FileRecovery.Browsing;
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
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "a.txt", "one");
        Write(folder, "deep/b.bin", new string('b', 300_000));
        Settle(folder);
        var item = await rig.ProtectShareAsync(vault);

        var first = await rig.BackUpAsync(vault, item);
        Write(folder, "a.txt", "two");
        var second = await rig.BackUpAsync(vault, item);

        Assert.Equal((JobStates.Completed, JobStates.Completed), (first.State, second.State));
        Assert.Equal(("docs", "files1"), (first.Properties["File Share Name"], first.Properties["Storage Account Name"]));
        var points = await rig.Points.ListAsync(item.Key, Rig.Token);
        Assert.Equal(2, points.Count);
        Assert.All(points, point => Assert.Equal(("FileSystemConsistent", 2L, 2L), (point.Consistency, point.Share!.Files, point.Share.Folders)));
        Assert.True(long.Parse(second.InternalProperties["strongroom.bytesNew"], CultureInfo.InvariantCulture) < 100_000);
        var now = (await rig.Items.FindAsync(item.Key, Rig.Token))!;
        Assert.Equal((ProtectionStates.Protected, "Completed", points[0].Time), (now.ProtectionState, now.LastBackupStatus, now.LastRecoveryPointTime));
        Assert.Equal(0, rig.Shares.Snapshots);
    }

    [Fact]
    public async Task A_whole_share_is_restored_over_what_is_there()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "a.txt", "one");
        Write(folder, "sub/b.txt", "bee");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        Write(folder, "a.txt", "changed");
        File.Delete(Path.Combine(folder, "sub/b.txt"));
        Write(folder, "new.txt", "stays");

        var job = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite);

        Assert.Equal(JobStates.Completed, job.State);
        Assert.Equal(("one", "bee", "stays"), (Read(folder, "a.txt"), Read(folder, "sub/b.txt"), Read(folder, "new.txt")));
        Assert.Equal(("2", "0", "0"), (job.Properties["Number Of Restored Files"], job.Properties["Number Of Skipped Files"], job.Properties["Number Of Failed Files"]));
    }

    [Theory]
    [InlineData(ExistingFiles.Skip, "mine", false, "1", "1")]
    [InlineData(ExistingFiles.CreateCopy, "mine", true, "2", "0")]
    public async Task What_is_there_is_treated_as_asked(ExistingFiles existing, string content, bool hasCopy, string restored, string skipped)
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "a.txt", "one");
        Write(folder, "b.txt", "two");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        Write(folder, "a.txt", "mine");
        File.Delete(Path.Combine(folder, "b.txt"));

        var job = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), existing);

        Assert.Equal((JobStates.Completed, restored, skipped), (job.State, job.Properties["Number Of Restored Files"], job.Properties["Number Of Skipped Files"]));
        Assert.Equal((content, "two"), (Read(folder, "a.txt"), Read(folder, "b.txt")));
        Assert.Equal(hasCopy, Directory.GetFiles(folder).Any(file => File.ReadAllText(file) == "one"));
    }

    [Fact]
    public async Task A_conflict_fails_the_job_before_anything_is_written_where_that_was_asked()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "a.txt", "one");
        Write(folder, "b.txt", "two");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        File.Delete(Path.Combine(folder, "b.txt"));

        var job = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.FailOnConflict);

        Assert.Equal(JobStates.Failed, job.State);
        Assert.Contains("a.txt", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "b.txt")));
    }

    [Fact]
    public async Task Files_and_folders_are_restored_to_folders_of_another_share()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "x/y/a.txt", "one");
        Write(folder, "x/z/b.txt", "two");
        Write(folder, "c.txt", "three");
        var other = rig.NewShare("files2", "spare");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);

        var job = await rig.RestoreAsync(
            vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite, ("files2", "spare"), "", new("x/y", true, "back"), new("c.txt", false, "back/files"), new("gone.txt", false, null));

        Assert.Equal(JobStates.CompletedWithWarnings, job.State);
        Assert.Contains("gone.txt", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.Equal(("one", "three"), (Read(other, "back/y/a.txt"), Read(other, "back/files/c.txt")));
        Assert.Equal(("2", "1"), (job.Properties["Number Of Restored Files"], job.Properties["Number Of Failed Files"]));
        Assert.Equal("files2/spare/", job.Properties["RestoreDestination"]);
        Assert.Equal("three", Read(folder, "c.txt"));
    }

    [Fact]
    public async Task Items_go_back_to_their_own_places()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "x/y/a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        Directory.Delete(Path.Combine(folder, "x"), true);

        var job = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite, null, "", new SharePart("x/y/a.txt", false, null));

        Assert.Equal((JobStates.Completed, "one"), (job.State, Read(folder, "x/y/a.txt")));
    }

    [Fact]
    public async Task What_could_not_be_read_is_named_and_the_point_is_there()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Write(rig.NewShare(), "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        rig.Shares.Problems.Add(new(TreePath.Of("locked/file.txt"), "The file cannot be opened."));

        var job = await rig.BackUpAsync(vault, item);

        Assert.Equal(JobStates.CompletedWithWarnings, job.State);
        Assert.Contains("locked/file.txt", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.Equal(1, (await rig.NewestAsync(item)).Share!.ProblemCount);
        var now = (await rig.Items.FindAsync(item.Key, Rig.Token))!;
        Assert.Equal(("CompletedWithWarnings", false), (now.LastBackupStatus, now.IsFailing));
        Assert.Contains("locked/file.txt", now.LastBackupError!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_share_that_has_lost_all_its_files_is_backed_up_with_a_warning()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        File.Delete(Path.Combine(folder, "a.txt"));

        var job = await rig.BackUpAsync(vault, item);

        Assert.Equal(JobStates.CompletedWithWarnings, job.State);
        Assert.Contains("mounted", Assert.Single(job.Errors).Message, StringComparison.Ordinal);
        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, item)).State);
    }

    [Fact]
    public async Task A_point_on_its_way_is_not_listed()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Write(rig.NewShare(), "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        var gate = new TaskCompletionSource();
        rig.Shares.WhileWriting = () => gate.Task;
        var operation = await rig.Admission.BackUpAsync(vault, item.NativeName, null, Rig.Token);
        await using var worker = await rig.StartWorkerAsync();
        await Rig.UntilAsync(async () => await rig.Ledger.FindInTransferAsync(item.Key, Rig.Token) is not null);

        Assert.Empty(await rig.Listing.ListAsync(item, null, null, null, 10, Rig.Token));
        gate.SetResult();
        await rig.EndOfAsync(vault, operation.JobId!.Value);
        Assert.Single(await rig.Listing.ListAsync(item, null, null, null, 10, Rig.Token));
    }

    [Fact]
    public async Task A_server_that_fails_once_is_asked_again()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Write(rig.NewShare(), "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        var asked = 0;
        rig.Shares.WhileSnapshotting = () => ++asked == 1 ? throw new ShareException(ShareProblem.ServerFailed, "It is starting.") : Task.CompletedTask;
        var operation = await rig.Admission.BackUpAsync(vault, item.NativeName, null, Rig.Token);
        await using var worker = await rig.StartWorkerAsync();
        await Rig.UntilAsync(() =>
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(asked > 1);
        });

        Assert.Equal(JobStates.Completed, (await rig.EndOfAsync(vault, operation.JobId!.Value)).State);
    }

    [Theory]
    [InlineData(ExistingFiles.Skip)]
    [InlineData(ExistingFiles.FailOnConflict)]
    [InlineData(ExistingFiles.CreateCopy)]
    public async Task A_restore_that_a_stop_of_the_server_cut_off_knows_its_own_files(ExistingFiles existing)
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "x/a.txt", "one");
        Write(folder, "b.txt", "two");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        var other = rig.NewShare("files2", "spare");
        var restored = new TaskCompletionSource();
        rig.Shares.WhenRestored = token =>
        {
            restored.SetResult();
            return Task.Delay(Timeout.Infinite, token);
        };
        var request = new ShareRestoreRequest((await rig.NewestAsync(item)).Name, RecoveryTypes.AlternateLocation, RigShares.AccountId("files2"), "spare", "", [], existing);
        var operation = await rig.Admission.RestoreShareAsync(vault, item.NativeName, request.RecoveryPoint, request, Rig.Token);
        await using (await rig.StartWorkerAsync()) await restored.Task;
        rig.Shares.WhenRestored = static _ => Task.CompletedTask;

        var job = await rig.RunAsync(vault, operation);

        Assert.Equal((JobStates.Completed, "2", "0"), (job.State, job.Properties["Number Of Restored Files"], job.Properties["Number Of Skipped Files"]));
        Assert.Equal(["b.txt", "x/a.txt"], Directory.EnumerateFiles(other, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(other, path)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Nothing_restored_is_a_failure_and_so_is_a_folder_asked_for_as_a_file()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "x/a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        Write(folder, "x/a.txt", "mine");

        var absent = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite, null, "", new SharePart("gone.txt", false, null));
        var folderAsFile = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite, null, "", new SharePart("x", false, null));

        Assert.Equal((JobStates.Failed, JobStates.Failed), (absent.State, folderAsFile.State));
        Assert.Contains("gone.txt", Assert.Single(absent.Errors).Message, StringComparison.Ordinal);
        Assert.Contains("folder", Assert.Single(folderAsFile.Errors).Message, StringComparison.Ordinal);
        Assert.Equal("mine", Read(folder, "x/a.txt"));
    }

    [Fact]
    public async Task What_a_restore_misses_is_a_line_of_the_job_however_long_its_path()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Write(rig.NewShare(), "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);

        var job = await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite, null, "", new SharePart(string.Concat(Enumerable.Repeat("long/", 10_000)) + "b.txt", false, null));

        var message = Assert.Single(job.Errors).Message;
        Assert.InRange(message.Length, 1, 2000);
        Assert.Contains("has no 'long/long/", message, StringComparison.Ordinal);
        Assert.DoesNotContain("..", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_is_cancelled_makes_no_point_and_says_so()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Write(rig.NewShare(), "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
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
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        Write(rig.NewShare(), "a.txt", "one");
        var other = rig.NewShare("files2", "spare");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        rig.Shares.Locations["files2"] = "cellar";

        var refused = await Assert.ThrowsAsync<BackupRefusedException>(async () => await rig.RestoreAsync(vault, item, await rig.NewestAsync(item), ExistingFiles.Overwrite, ("files2", "spare")));

        Assert.Equal(BackupRefusal.InvalidInput, refused.Refusal);
        Assert.Contains("'cellar'", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(other));
    }

    [Fact]
    public async Task A_share_that_is_gone_fails_the_job_and_says_so()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        rig.NewShare();
        rig.NewShare("files1", "other");
        var item = await rig.ProtectShareAsync(vault);
        rig.Shares.Folders.Remove(("files1", "docs"));

        var job = await rig.BackUpAsync(vault, item);

        Assert.Equal((JobStates.Failed, "UserErrorFileShareNotFound"), (job.State, Assert.Single(job.Errors).Title));
        Assert.True((await rig.Items.FindAsync(item.Key, Rig.Token))!.IsFailing);
    }

    [Fact]
    public async Task Deleted_with_its_data_its_account_can_be_unregistered()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync(softDelete: false);
        Write(rig.NewShare(), "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);

        var job = await rig.RunAsync(vault, (await rig.Protection.DeleteAsync(vault, item.NativeName, Rig.Token))!);

        Assert.Equal((JobStates.Completed, "1"), (job.State, job.Properties["Number of Recovery Points"]));
        Assert.Null(await rig.Items.FindAsync(item.Key, Rig.Token));
        Assert.Empty((await rig.Stores.OpenAsync(vault.Key, Rig.Token)).Snapshots);
        Assert.Contains(item.Key, rig.Shares.Ended);
        Assert.NotNull(await rig.Registration.UnregisterAsync(vault, RigShares.Container("files1"), Rig.Token));
    }

    [Fact]
    public async Task A_lost_catalogue_is_made_again_with_its_registration()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "a.txt", "one");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        var point = await rig.NewestAsync(item);
        await using var lost = await Rig.NewAsync();

        await new CatalogueRebuild(lost.Vaults, lost.Items, lost.Policies, lost.Containers, lost.Resources, lost.Get<ICatalogueWriter>(), lost.Time)
            .RunAsync(await rig.Stores.OpenAsync(vault.Key, Rig.Token), null, Rig.Subscription, Rig.Token);

        Assert.Equal(point.Share!.Tree, (await lost.NewestAsync(item)).Share!.Tree);
        var container = Assert.Single(await lost.Containers.ListAsync(vault.Key, Rig.Token));
        Assert.Equal(("storage;lab;files1", RigShares.AccountId("files1"), 1), (container.Container.NativeName, container.Container.SourceResourceId, container.Items));
    }

    [Fact]
    public async Task Its_files_can_be_looked_at()
    {
        await using var rig = await Rig.NewAsync();
        var vault = await rig.NewVaultAsync();
        var folder = rig.NewShare();
        Write(folder, "x/a.txt", "hello");
        Write(folder, "x/b.txt", "world");
        File.CreateSymbolicLink(Path.Combine(folder, "link"), "/x");
        File.CreateSymbolicLink(Path.Combine(folder, "x/up"), "../../../x");
        File.CreateSymbolicLink(Path.Combine(folder, "loop"), "loop");
        var item = await rig.ProtectShareAsync(vault);
        await rig.BackUpAsync(vault, item);
        var browser = new PointFileBrowser(rig.Points, rig.Ledger, rig.Stores, rig.Holds, new NoReader());
        await using var tree = await browser.OpenAsync(vault, item, (await rig.NewestAsync(item)).Name, Rig.Token);

        Assert.Equal(["link", "loop", "x"], (await tree.ListAsync(FilePath.Root, 0, 10, Rig.Token)).Entries.Select(e => e.Text));
        var page = await tree.ListAsync(At("/x"), 0, 2, Rig.Token);
        Assert.Equal(["a.txt", "b.txt"], page.Entries.Select(e => e.Text));
        Assert.Equal(2, page.Next);
        Assert.Equal("up", Assert.Single((await tree.ListAsync(At("/x"), 2, 2, Rig.Token)).Entries).Text);
        Assert.Equal("hello", await ReadAsync("/x/a.txt"));
        Assert.Equal("world", await ReadAsync("/link/up/b.txt"));
        Assert.Equal(FileKind.SymbolicLink, (await tree.FindAsync(At("/link"), Rig.Token)).Kind);
        Assert.Equal(FileBrowsingFault.NotFound, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.FindAsync(At("/loop/a"), Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.NotFound, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.FindAsync(At("/x/a.txt/b"), Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.NotAFolder, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.ListAsync(At("/x/a.txt"), 0, 1, Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.NotAFile, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.ReadAsync(At("/x"), 0, new byte[1], Rig.Token))).Fault);
        Assert.Equal(FileBrowsingFault.BadPosition, (await Assert.ThrowsAsync<FileBrowsingException>(() => tree.ListAsync(At("/x"), 9, 1, Rig.Token))).Fault);

        async Task<string> ReadAsync(string path)
        {
            var buffer = new byte[100];
            return System.Text.Encoding.UTF8.GetString(buffer, 0, await tree.ReadAsync(At(path), 0, buffer, Rig.Token));
        }

        static FilePath At(string path) => FilePath.TryParse(path, out var found) ? found : throw new ArgumentException(path);
    }

    private static void Write(string folder, string path, string text)
    {
        var file = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static string Read(string folder, string path) => File.ReadAllText(Path.Combine(folder, path));

    /// <summary>Waits until the change times are old enough to be trusted.</summary>
    private static void Settle(string folder)
    {
        while (Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Any(path => DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < TimeSpan.FromSeconds(2.1))) Thread.Sleep(50);
    }

    private sealed class NoReader : IFileReader
    {
        public Task<IFileTree> OpenAsync(string key, Func<CancellationToken, Task<IReadOnlyList<Blocks.IBlockDevice>>> openDisks, CancellationToken cancellationToken) => throw new InvalidOperationException("Shares have no disks.");
    }
}
