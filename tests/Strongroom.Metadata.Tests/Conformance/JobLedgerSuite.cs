using Strongroom.Backup.Jobs;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

/// <summary>Jobs are admitted, claimed, reported on, ended and found.</summary>
public abstract class JobLedgerSuite : LedgerSuite
{
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
}
