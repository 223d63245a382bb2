using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

/// <summary>What jobs do to recovery points and items is written with their ends, or not at all.</summary>
public abstract class JobOutcomeSuite : LedgerSuite
{
    [Fact]
    public async Task A_point_in_transfer_is_there_as_long_as_the_claim_that_holds_its_snapshot()
    {
        var (item, job) = await AdmitAsync();
        Job Moving(JobClaim claim) => job with { InTransfer = Sample.InTransfer(claim.Fence) };
        Task<PointInTransfer?> FindAsync() => Ledger.FindInTransferAsync(item.Key, Token);
        Assert.Null(await FindAsync());
        var first = (await Ledger.ClaimAsync("a", Over, Token))!;
        Assert.Null(await FindAsync());
        Assert.True(await Ledger.TryReportAsync(first, Moving(first), Token));
        Assert.Equal(Sample.InTransfer(first.Fence).Name, (await FindAsync())!.Name);
        Assert.Null(await Ledger.FindInTransferAsync(Guid.NewGuid(), Token));
        Assert.Empty(await Points.ListAsync(item.Key, Token));
        Assert.Empty(await Points.ListSnapshotIdsAsync(item.VaultKey, Token));

        // Another worker has the job, and no snapshot yet.
        var second = (await Ledger.ClaimAsync("b", Long, Token))!;
        Assert.Null(await FindAsync());
        Assert.True(await Ledger.TryReportAsync(second, Moving(second), Token));
        Assert.True(await Ledger.TryRequestCancelAsync(item.VaultKey, job.Id, Token));
        Assert.Equal(second.Fence, (await FindAsync())!.Fence);

        // Its server is dead.
        await Ledger.ReleaseAllAsync(Token);
        Assert.Null(await FindAsync());
        var third = (await Ledger.ClaimAsync("c", Long, Token))!;
        Assert.True(await Ledger.TryReportAsync(third, Moving(third), Token));
        Assert.True(await Ledger.TryReturnAsync(third, Token));
        Assert.Null(await FindAsync());

        var last = (await Ledger.ClaimAsync("d", Long, Token))!;
        Assert.True(await Ledger.TryFinishAsync(last, Moving(last).Ended(JobStates.Failed), JobOutcome.None, Token));
        Assert.Null(await FindAsync());
        Assert.Null((await Ledger.FindAsync(item.VaultKey, job.Id, Token))!.InTransfer);
    }

    [Fact]
    public async Task The_points_of_an_item_are_counted_with_the_oldest_and_the_newest()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        Assert.Equal((0, null, null), await Points.SummarizeAsync(item.Key, Token));
        foreach (var number in (int[])[2, 1, 3])
        {
            var job = Sample.Job(item);
            Assert.True(await Ledger.TryAdmitAsync(job, Token));
            Assert.True(await Ledger.TryFinishAsync((await Ledger.ClaimAsync("a", Long, Token))!, job.Ended(), new() { NewRecoveryPoint = Sample.Point(item, number) }, Token));
        }

        Assert.Equal((3, Sample.Point(item, 1).Time, Sample.Point(item, 3).Name), await Points.SummarizeAsync(item.Key, Token));
    }

    [Fact]
    public async Task Finishing_writes_point_and_item_with_the_job()
    {
        var (item, job) = await AdmitAsync();
        var claim = (await Ledger.ClaimAsync("a", Long, Token))!;
        var point = Sample.Point(item, 1);
        // A change that someone made while the job ran is kept.
        Assert.True(await Items.TryUpdateAsync(item with { PolicyName = "EnhancedPolicy" }, Token));

        Assert.True(await Ledger.TryFinishAsync(claim, job.Ended(), new() { NewRecoveryPoint = point, ChangeItem = i => i with { LastBackupStatus = "Completed" } }, Token));

        var found = (await Items.FindAsync(item.Key, Token))!;
        Assert.Equal(("EnhancedPolicy", "Completed", 2), (found.PolicyName, found.LastBackupStatus, found.Version));
        var listed = Assert.Single(await Points.ListAsync(item.Key, Token));
        Assert.Equal((point.Name, point.Time, point.SnapshotId), (listed.Name, listed.Time, listed.SnapshotId));
        Assert.Equal(point.Disks, listed.Disks);
        Assert.Equal(point.Name, (await Points.FindAsync(item.Key, point.Name, Token))!.Name);
        Assert.Null(await Points.FindAsync(Guid.NewGuid(), point.Name, Token));
    }

    [Fact]
    public async Task The_snapshots_of_a_vault_are_those_of_the_points_of_all_its_items()
    {
        var (mine, theirs) = (await AddVaultAsync("mine"), await AddVaultAsync("theirs"));
        var expected = new HashSet<Guid>();
        foreach (var (vault, machine) in new[] { (mine, "web1"), (mine, "web2"), (theirs, "web3") })
        {
            var item = await AddItemAsync(vault, machine);
            for (var number = 1; number <= 2; number++)
            {
                var job = Sample.Job(item);
                Assert.True(await Ledger.TryAdmitAsync(job, Token));
                var point = Sample.Point(item, number);
                Assert.True(await Ledger.TryFinishAsync((await Ledger.ClaimAsync("a", Long, Token))!, job.Ended(), new() { NewRecoveryPoint = point }, Token));
                if (vault == mine) expected.Add(point.SnapshotId);
            }
        }

        Assert.Equal(expected, [.. await Points.ListSnapshotIdsAsync(mine.Key, Token)]);
        Assert.Equal(2, (await Points.ListSnapshotIdsAsync(theirs.Key, Token)).Count);
        Assert.Empty(await Points.ListSnapshotIdsAsync(Guid.NewGuid(), Token));
    }

    [Fact]
    public async Task When_the_point_cannot_be_written_nothing_is()
    {
        var (item, job) = await AdmitAsync();
        var point = Sample.Point(item, 1);
        var first = (await Ledger.ClaimAsync("a", Long, Token))!;
        Assert.True(await Ledger.TryFinishAsync(first, job.Ended(), new() { NewRecoveryPoint = point }, Token));
        var again = Sample.Job(item);
        Assert.True(await Ledger.TryAdmitAsync(again, Token));
        var second = (await Ledger.ClaimAsync("a", Long, Token))!;

        await Assert.ThrowsAnyAsync<Exception>(() => Ledger.TryFinishAsync(
            second, again.Ended(), new() { NewRecoveryPoint = point with { SnapshotId = Guid.NewGuid() }, ChangeItem = i => i with { DataId = "x" } }, Token));

        Assert.Equal(JobStates.InProgress, (await Ledger.FindAsync(item.VaultKey, again.Id, Token))!.State);
        Assert.Equal(item.DataId, (await Items.FindAsync(item.Key, Token))!.DataId);
        Assert.Equal(point.SnapshotId, Assert.Single(await Points.ListAsync(item.Key, Token)).SnapshotId);
        // The claim still holds: the job can be ended otherwise.
        Assert.True(await Ledger.TryFinishAsync(second, again.Ended(JobStates.Failed), JobOutcome.None, Token));
    }

    [Fact]
    public async Task When_the_change_of_the_item_throws_nothing_is_written()
    {
        var (item, job) = await AdmitAsync();
        var claim = (await Ledger.ClaimAsync("a", Long, Token))!;

        await Assert.ThrowsAsync<InvalidOperationException>(() => Ledger.TryFinishAsync(
            claim, job.Ended(), new() { NewRecoveryPoint = Sample.Point(item, 1), ChangeItem = _ => throw new InvalidOperationException() }, Token));

        Assert.Equal(JobStates.InProgress, (await Ledger.FindAsync(item.VaultKey, job.Id, Token))!.State);
        Assert.Empty(await Points.ListAsync(item.Key, Token));
    }

    [Fact]
    public async Task Only_the_holder_of_a_job_takes_its_items_points_off_the_list()
    {
        var (item, job) = await AdmitAsync("a", 1);
        var (other, otherJob) = await AdmitAsync("b", 2);
        foreach (var (i, j) in new[] { (item, job), (other, otherJob) })
            Assert.True(await Ledger.TryFinishAsync((await Ledger.ClaimAsync("w", Long, Token))!, j.Ended(), new() { NewRecoveryPoint = Sample.Point(i, 1) }, Token));
        Assert.True(await Ledger.TryAdmitAsync(Sample.Job(item, JobOperations.DeleteBackupData), Token));
        var stale = (await Ledger.ClaimAsync("a", Over, Token))!;
        var fresh = (await Ledger.ClaimAsync("b", Long, Token))!;

        Assert.False(await Ledger.TryUnlistAsync(stale, Token));
        Assert.Single(await Points.ListAsync(item.Key, Token));
        Assert.True(await Ledger.TryUnlistAsync(fresh, Token));

        Assert.Empty(await Points.ListAsync(item.Key, Token));
        Assert.Null((await Items.FindAsync(item.Key, Token))!.LastRecoveryPointTime);
        Assert.Single(await Points.ListAsync(other.Key, Token));
    }

    [Fact]
    public async Task Removing_an_item_takes_its_points_and_keeps_those_of_others()
    {
        var (item, job) = await AdmitAsync("a", 1);
        var (other, otherJob) = await AdmitAsync("b", 2);
        foreach (var (i, j) in new[] { (item, job), (other, otherJob) })
            Assert.True(await Ledger.TryFinishAsync((await Ledger.ClaimAsync("w", Long, Token))!, j.Ended(), new() { NewRecoveryPoint = Sample.Point(i, 1) }, Token));
        var deletion = Sample.Job(item, JobOperations.DeleteBackupData);
        Assert.True(await Ledger.TryAdmitAsync(deletion, Token));

        Assert.True(await Ledger.TryFinishAsync((await Ledger.ClaimAsync("w", Long, Token))!, deletion.Ended(), new() { RemoveItem = true }, Token));

        Assert.Null(await Items.FindAsync(item.Key, Token));
        Assert.Empty(await Points.ListAsync(item.Key, Token));
        Assert.Single(await Points.ListAsync(other.Key, Token));
        Assert.Equal(2, (await Ledger.ListAsync(item.VaultKey, new(), null, int.MaxValue, Token)).Count);
        Assert.True(await Items.TryAddAsync(item with { Key = Guid.NewGuid() }, Token));
    }

    [Fact]
    public async Task Points_are_listed_newest_first()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        foreach (var n in new[] { 2, 1, 3 })
        {
            var job = Sample.Job(item);
            Assert.True(await Ledger.TryAdmitAsync(job, Token));
            Assert.True(await Ledger.TryFinishAsync((await Ledger.ClaimAsync("w", Long, Token))!, job.Ended(), new() { NewRecoveryPoint = Sample.Point(item, n) }, Token));
        }

        Assert.Equal([3, 2, 1], (await Points.ListAsync(item.Key, Token)).Select(p => (int)(p.Time - Sample.Now).TotalMinutes));
    }
}
