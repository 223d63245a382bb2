using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

public abstract class JobLedgerSuite : DatabaseSuite
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    /// <summary>A lease that is over when it begins.</summary>
    private static readonly TimeSpan Over = TimeSpan.FromHours(-1);

    private async Task<(ProtectedItem Item, Job Job)> AdmitAsync(string machine = "web1", int minutes = 0)
    {
        var vault = await AddVaultAsync("vault-" + machine);
        var item = await AddItemAsync(vault, machine);
        var job = Sample.Job(item, minutes: minutes);
        Assert.True(await Ledger.TryAdmitAsync(job, Token));
        return (item, job);
    }

    [Fact]
    public async Task Of_many_jobs_of_one_item_exactly_one_is_admitted()
    {
        var item = await AddItemAsync(await AddVaultAsync());
        var jobs = Enumerable.Range(0, 32).Select(_ => Sample.Job(item)).ToArray();

        var won = await AtOnceAsync(32, n => Ledger.TryAdmitAsync(jobs[n], Token));

        Assert.Single(won, true);
        Assert.Equal(jobs[Array.IndexOf(won, true)].Id, (await Ledger.FindLiveAsync(item.Key, Token))!.Id);
        Assert.Single(await Ledger.ListAsync(item.VaultKey, new(), null, int.MaxValue, Token));
    }

    [Fact]
    public async Task Beside_its_job_an_item_has_one_that_only_reads_and_each_is_claimed_by_its_own_workers()
    {
        var (item, job) = await AdmitAsync();
        var beside = Sample.Job(item) with { Operation = JobOperations.VerifyRestore };
        Assert.True(await Ledger.TryAdmitAsync(beside, Token));
        Assert.False(await Ledger.TryAdmitAsync(Sample.Job(item) with { Operation = JobOperations.VerifyRestore }, Token));

        Assert.Equal(job.Id, (await Ledger.FindLiveAsync(item.Key, Token))!.Id);
        Assert.Equal(job.Id, (await Ledger.ClaimAsync("a", Long, Token))!.Job.Id);
        Assert.Null(await Ledger.ClaimAsync("a", Long, Token));
        var claim = (await Ledger.ClaimBesideAsync("b", Long, Token))!;
        Assert.Equal(beside.Id, claim.Job.Id);
        Assert.Null(await Ledger.ClaimBesideAsync("b", Long, Token));
        Assert.False((await Ledger.RenewAsync(claim, "b", Long, Token))!.IsCancelRequested);
        await Ledger.RequestCancelBesideAsync(item.Key, Token);
        Assert.True((await Ledger.RenewAsync(claim, "b", Long, Token))!.IsCancelRequested);
        Assert.False((await Ledger.FindLiveAsync(item.Key, Token))!.IsCancelRequested);

        Assert.True(await Ledger.TryFinishAsync(claim, beside.Ended(JobStates.Cancelled), JobOutcome.None, Token));
        Assert.True(await Ledger.TryAdmitAsync(Sample.Job(item) with { Operation = JobOperations.VerifyRestore }, Token));
        Assert.True(await Ledger.HasLiveAsync(Token));
    }

    [Fact]
    public async Task A_cancelling_job_is_still_live_and_an_ended_one_is_not()
    {
        var (item, job) = await AdmitAsync();
        Assert.True(await Ledger.TryRequestCancelAsync(item.VaultKey, job.Id, Token));
        Assert.False(await Ledger.TryAdmitAsync(Sample.Job(item), Token));
        var claim = (await Ledger.ClaimAsync("a", Long, Token))!;
        Assert.True(claim.Job.IsCancelRequested);

        Assert.True(await Ledger.TryFinishAsync(claim, job.Ended(JobStates.Cancelled), JobOutcome.None, Token));

        Assert.Null(await Ledger.FindLiveAsync(item.Key, Token));
        Assert.False(await Ledger.TryRequestCancelAsync(item.VaultKey, job.Id, Token));
        Assert.True(await Ledger.TryAdmitAsync(Sample.Job(item), Token));
    }

    [Fact]
    public async Task A_job_without_an_item_is_not_admitted() =>
        Assert.False(await Ledger.TryAdmitAsync(Sample.Job(Sample.Item(await AddVaultAsync())), Token));

    [Fact]
    public async Task A_live_job_is_not_recorded_and_a_live_end_is_not_written()
    {
        var (item, job) = await AdmitAsync();
        var claim = (await Ledger.ClaimAsync("a", Long, Token))!;
        await Assert.ThrowsAsync<ArgumentException>(() => Ledger.RecordAsync(Sample.Job(item), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => Ledger.TryFinishAsync(claim, job, JobOutcome.None, Token));
    }

    [Fact]
    public async Task The_oldest_free_job_is_claimed_first_and_each_only_once()
    {
        var (_, second) = await AdmitAsync("b", 2);
        var (_, first) = await AdmitAsync("a", 1);

        Assert.Equal(first.Id, (await Ledger.ClaimAsync("x", Long, Token))!.Job.Id);
        Assert.Equal(second.Id, (await Ledger.ClaimAsync("x", Long, Token))!.Job.Id);
        Assert.Null(await Ledger.ClaimAsync("x", Long, Token));
    }

    [Fact]
    public async Task Of_many_workers_exactly_one_gets_a_job()
    {
        await AdmitAsync();
        var claims = await AtOnceAsync(32, n => Ledger.ClaimAsync($"w{n}", Long, Token));
        Assert.Single(claims, c => c is not null);
    }

    [Fact]
    public async Task Each_claim_has_a_greater_fence_and_counts_the_attempt()
    {
        var (item, job) = await AdmitAsync();
        var fences = new List<long>();
        for (var n = 1; n <= 4; n++)
        {
            var claim = (await Ledger.ClaimAsync("a", Over, Token))!;
            Assert.Equal(n, claim.Job.Attempt);
            Assert.Equal(claim.Fence, claim.Job.Fence);
            fences.Add(claim.Fence);
        }

        Assert.Equal(fences.Order().Distinct(), fences);
        Assert.Equal(4, (await Ledger.FindAsync(item.VaultKey, job.Id, Token))!.Attempt);
    }

    [Fact]
    public async Task A_lost_claim_can_neither_report_nor_renew_nor_finish()
    {
        var (item, job) = await AdmitAsync();
        var stale = (await Ledger.ClaimAsync("a", Over, Token))!;
        var fresh = (await Ledger.ClaimAsync("b", Long, Token))!;

        Assert.False(await Ledger.TryReportAsync(stale, job with { ProgressPercent = 50 }, Token));
        Assert.Null(await Ledger.RenewAsync(stale, "a", Long, Token));
        Assert.False(await Ledger.TryFinishAsync(stale, job.Ended(), new() { NewRecoveryPoint = Sample.Point(item, 1), ChangeItem = i => i with { DataId = "x" } }, Token));

        var found = (await Ledger.FindAsync(item.VaultKey, job.Id, Token))!;
        Assert.Equal((JobStates.InProgress, null), (found.State, found.ProgressPercent));
        Assert.Empty(await Points.ListAsync(item.Key, Token));
        Assert.Equal(item.DataId, (await Items.FindAsync(item.Key, Token))!.DataId);
        Assert.NotNull(await Ledger.RenewAsync(fresh, "b", Long, Token));
    }

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
    public async Task A_finished_job_takes_no_more_writes()
    {
        var (item, job) = await AdmitAsync();
        var claim = (await Ledger.ClaimAsync("a", Over, Token))!;
        Assert.True(await Ledger.TryFinishAsync(claim, job.Ended(), JobOutcome.None, Token));

        Assert.False(await Ledger.TryReportAsync(claim, job, Token));
        Assert.Null(await Ledger.RenewAsync(claim, "a", Long, Token));
        Assert.False(await Ledger.TryFinishAsync(claim, job.Ended(JobStates.Failed), new() { NewRecoveryPoint = Sample.Point(item, 1) }, Token));
        Assert.Null(await Ledger.ClaimAsync("b", Long, Token));
        await Ledger.ReleaseAllAsync(Token);
        Assert.Null(await Ledger.ClaimAsync("b", Long, Token));
        Assert.Equal(JobStates.Completed, (await Ledger.FindAsync(item.VaultKey, job.Id, Token))!.State);
        Assert.Empty(await Points.ListAsync(item.Key, Token));
    }

    [Fact]
    public async Task A_job_that_ends_while_another_worker_reaches_for_it_is_not_claimed()
    {
        for (var round = 0; round < 60; round++)
        {
            var (_, job) = await AdmitAsync($"vm{round}");
            var claim = (await Ledger.ClaimAsync("a", Over, Token))!;
            var finishing = Task.Run(() => Ledger.TryFinishAsync(claim, job.Ended(), JobOutcome.None, Token));
            var claims = await AtOnceAsync(3, n => Ledger.ClaimAsync($"b{n}", Long, Token));
            var isFinished = await finishing;

            Assert.NotEqual(isFinished, claims.Any(c => c is not null));
            var taken = claims.SingleOrDefault(c => c is not null);
            if (taken is not null) Assert.True(await Ledger.TryFinishAsync(taken, job.Ended(), JobOutcome.None, Token));
        }
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
    public async Task A_claim_that_is_given_back_is_free_at_once_and_not_counted_and_only_its_holder_gives_it_back()
    {
        var (_, job) = await AdmitAsync();
        var stale = (await Ledger.ClaimAsync("a", Over, Token))!;
        var claim = (await Ledger.ClaimAsync("b", Long, Token))!;
        Assert.False(await Ledger.TryReturnAsync(stale, Token));
        Assert.Null(await Ledger.ClaimAsync("c", Long, Token));

        Assert.True(await Ledger.TryReturnAsync(claim, Token));

        var next = (await Ledger.ClaimAsync("c", Long, Token))!;
        Assert.Equal((job.Id, 2), (next.Job.Id, next.Job.Attempt));
        Assert.True(next.Fence > claim.Fence);
        Assert.False(await Ledger.TryReturnAsync(claim, Token));
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
    public async Task A_report_does_not_take_back_a_request_to_cancel()
    {
        var (item, job) = await AdmitAsync();
        var claim = (await Ledger.ClaimAsync("a", Long, Token))!;
        Assert.True(await Ledger.TryRequestCancelAsync(item.VaultKey, job.Id, Token));

        Assert.True(await Ledger.TryReportAsync(claim, job with { State = JobStates.InProgress, ProgressPercent = 40 }, Token));

        var found = (await Ledger.RenewAsync(claim, "a", Long, Token))!;
        Assert.True(found.IsCancelRequested);
        Assert.Equal(40, found.ProgressPercent);
        Assert.False(await Ledger.TryRequestCancelAsync(Guid.NewGuid(), job.Id, Token));
    }

    [Fact]
    public async Task Release_makes_every_live_job_free_at_once()
    {
        await AdmitAsync("a");
        await AdmitAsync("b");
        for (var n = 0; n < 2; n++) Assert.NotNull(await Ledger.ClaimAsync("dead", Long, Token));
        Assert.Null(await Ledger.ClaimAsync("new", Long, Token));

        await Ledger.ReleaseAllAsync(Token);

        for (var n = 0; n < 2; n++) Assert.Equal(2, (await Ledger.ClaimAsync("new", Long, Token))!.Fence);
        Assert.Null(await Ledger.ClaimAsync("new", Long, Token));
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first()
    {
        var vault = await AddVaultAsync();
        foreach (var minutes in new[] { 2, 3, 1 }) await Ledger.RecordAsync(Sample.Job(Sample.Item(vault), minutes: minutes).Ended(), Token);
        Assert.Equal([3, 2, 1], (await Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Token)).Select(j => (int)(j.StartedAt - Sample.Now).TotalMinutes));
    }

    [Fact]
    public async Task Jobs_come_in_pages_that_neither_repeat_nor_skip()
    {
        var vault = await AddVaultAsync();
        // Several of one moment: the id decides.
        var all = Enumerable.Range(0, 25).Select(n => Sample.Job(Sample.Item(vault), minutes: n / 5).Ended()).ToList();
        foreach (var job in all) await Ledger.RecordAsync(job, Token);
        List<Job> seen = [];
        while (await Ledger.ListAsync(vault.Key, new(), seen.Count == 0 ? null : JobPosition.Of(seen[^1]), 4, Token) is { Count: > 0 } page)
        {
            Assert.True(page.Count <= 4);
            seen.AddRange(page);
        }

        Assert.Equal((await Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Token)).Select(j => j.Id), seen.Select(j => j.Id));
        Assert.Equal(25, seen.Count);
        Assert.Empty(await Ledger.ListAsync(Guid.NewGuid(), new(), null, 4, Token));
    }

    [Fact]
    public async Task Jobs_are_found_by_each_key()
    {
        var vault = await AddVaultAsync();
        var done = Sample.Job(Sample.Item(vault), minutes: 1).Ended();
        var failed = (Sample.Job(Sample.Item(vault), minutes: 2) with { Operation = JobOperations.Restore }).Ended(JobStates.Failed);
        foreach (var job in (Job[])[done, failed]) await Ledger.RecordAsync(job, Token);

        async Task<Guid[]> FindAsync(JobQuery query) => [.. (await Ledger.ListAsync(vault.Key, query, null, 10, Token)).Select(j => j.Id)];
        Assert.Equal([failed.Id, done.Id], await FindAsync(new()));
        Assert.Equal([failed.Id], await FindAsync(new() { State = "failed" }));
        Assert.Equal([failed.Id], await FindAsync(new() { Operation = "restore" }));
        Assert.Equal([done.Id], await FindAsync(new() { JobId = done.Id }));
        Assert.Equal([failed.Id], await FindAsync(new() { From = failed.StartedAt }));
        Assert.Equal([done.Id], await FindAsync(new() { Until = done.StartedAt }));
        Assert.Empty(await FindAsync(new() { State = "Failed", JobId = done.Id }));
    }

    [Fact]
    public async Task Only_a_job_that_nobody_began_is_ended_without_a_claim()
    {
        var (item, job) = await AdmitAsync();
        Assert.False(await Ledger.TryEndUnbegunAsync(job.Ended(JobStates.Cancelled) with { VaultKey = Guid.NewGuid() }, Token));
        Assert.True(await Ledger.TryEndUnbegunAsync(job.Ended(JobStates.Cancelled), Token));
        Assert.Equal(JobStates.Cancelled, (await Ledger.FindAsync(item.VaultKey, job.Id, Token))!.State);
        Assert.Null(await Ledger.ClaimAsync("a", Long, Token));

        var begun = Sample.Job(item);
        Assert.True(await Ledger.TryAdmitAsync(begun, Token));
        Assert.NotNull(await Ledger.ClaimAsync("a", Long, Token));
        Assert.False(await Ledger.TryEndUnbegunAsync(begun.Ended(JobStates.Cancelled), Token));
        Assert.NotNull(await Ledger.FindLiveAsync(item.Key, Token));
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
