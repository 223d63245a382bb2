using CsCheck;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Metadata.Tests.Support;

namespace Strongroom.Metadata.Tests.Conformance;

/// <summary>Random lives of the ledger against a model of it, and of many workers at once.</summary>
public abstract class JobLedgerModelSuite : DatabaseSuite
{
    private const int Workers = 3;
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly TimeSpan Over = TimeSpan.FromHours(-1);

    private enum Act { Admit, Claim, ClaimBriefly, Renew, RenewBriefly, Report, Finish, Fail, Cancel, Release }

    [Fact]
    public async Task Any_order_of_calls_does_what_the_model_says()
    {
        var vault = await AddVaultAsync();
        var number = 0;
        await Gen.Select(Gen.Enum<Act>(), Gen.Int[0, Workers - 1]).Array[1, 40].SampleAsync(async steps =>
        {
            var item = await AddItemAsync(vault, $"vm{Interlocked.Increment(ref number)}");
            var model = new Model();
            var held = new JobClaim?[Workers];
            foreach (var (act, worker) in steps) await StepAsync(act, worker, item, model, held);
            await AssertSameAsync(item, model);

            // Leaves no free job behind for the next life.
            await Ledger.ReleaseAllAsync(Token);
            if (await Ledger.ClaimAsync("end", Long, Token) is { } rest) Assert.True(await Ledger.TryFinishAsync(rest, rest.Job.Ended(), JobOutcome.None, Token));
        }, iter: 150, threads: 1);
    }

    private async Task StepAsync(Act act, int worker, ProtectedItem item, Model model, JobClaim?[] held)
    {
        var claim = held[worker];
        var isHeld = claim is not null && model.Holds(claim);
        switch (act)
        {
            case Act.Admit:
                var job = Sample.Job(item);
                Assert.Equal(model.Live is null, await Ledger.TryAdmitAsync(job, Token));
                model.Admit(job.Id);
                break;
            case Act.Claim or Act.ClaimBriefly:
                var got = await Ledger.ClaimAsync($"w{worker}", act == Act.Claim ? Long : Over, Token);
                Assert.Equal(model.IsFree, got is not null);
                if (got is null) break;
                model.Claim(act == Act.Claim);
                Assert.Equal((model.Live, model.Fence), (got.Job.Id, got.Fence));
                held[worker] = got;
                break;
            case Act.Renew or Act.RenewBriefly when claim is not null:
                var renewed = await Ledger.RenewAsync(claim, $"w{worker}", act == Act.Renew ? Long : Over, Token);
                // The owner is part of a renewal: after a release nobody owns the job.
                Assert.Equal(isHeld && model.IsOwned, renewed is not null);
                if (renewed is null) break;
                Assert.Equal(model.IsCancelled, renewed.IsCancelRequested);
                model.HasLease = act == Act.Renew;
                break;
            case Act.Report when claim is not null:
                Assert.Equal(isHeld, await Ledger.TryReportAsync(claim, claim.Job with { ProgressPercent = 1 }, Token));
                break;
            case Act.Finish when claim is not null:
                var point = Sample.Point(item, model.Points.Count);
                Assert.Equal(isHeld, await Ledger.TryFinishAsync(claim, claim.Job.Ended(), new() { NewRecoveryPoint = point }, Token));
                if (isHeld) { model.Points.Add(point.Name); model.End(JobStates.Completed); }
                break;
            case Act.Fail when claim is not null:
                Assert.Equal(isHeld, await Ledger.TryFinishAsync(claim, claim.Job.Ended(JobStates.Failed), JobOutcome.None, Token));
                if (isHeld) model.End(JobStates.Failed);
                break;
            case Act.Cancel when model.Live is { } live:
                Assert.True(await Ledger.TryRequestCancelAsync(item.VaultKey, live, Token));
                model.IsCancelled = true;
                break;
            case Act.Release:
                await Ledger.ReleaseAllAsync(Token);
                (model.HasLease, model.IsOwned) = (false, false);
                break;
        }
    }

    private async Task AssertSameAsync(ProtectedItem item, Model model)
    {
        Assert.Equal(model.Points.Order(), (await Points.ListAsync(item.Key, Token)).Select(p => p.Name).Order());
        Assert.Equal(model.Live is not null, await Ledger.HasLiveAsync(Token));
        Assert.Equal(model.Live, (await Ledger.FindLiveAsync(item.Key, Token))?.Id);
        foreach (var (id, state) in model.Ends) Assert.Equal(state, (await Ledger.FindAsync(item.VaultKey, id, Token))!.State);
    }

    [Fact]
    public async Task Whatever_workers_do_at_once_a_job_ends_once_and_a_point_has_its_job()
    {
        const int jobs = 24;
        var vault = await AddVaultAsync();
        var items = new List<ProtectedItem>();
        for (var n = 0; n < jobs; n++)
        {
            items.Add(await AddItemAsync(vault, $"vm{n}"));
            Assert.True(await Ledger.TryAdmitAsync(Sample.Job(items[n], minutes: n), Token));
        }

        var byKey = items.ToDictionary(i => i.Key);
        var ends = await AtOnceAsync(4, async worker =>
        {
            var random = new Random(worker);
            var mine = new List<(Guid Job, string? Point)>();
            var held = new List<JobClaim>();
            for (var turn = 0; turn < 80; turn++)
            {
                if (await Ledger.ClaimAsync($"w{worker}", Over, Token) is { } got) held.Add(got);
                if (held.Count == 0) continue;
                var claim = held[random.Next(held.Count)];
                await Ledger.TryReportAsync(claim, claim.Job with { ProgressPercent = turn }, Token);
                if (random.Next(3) != 0) continue;
                var point = random.Next(2) == 0 ? Sample.Point(byKey[claim.Job.ItemKey], worker * 1000 + turn) : null;
                if (await Ledger.TryFinishAsync(claim, claim.Job.Ended(point is null ? JobStates.Failed : JobStates.Completed), new() { NewRecoveryPoint = point }, Token))
                    mine.Add((claim.Job.Id, point?.Name));
            }

            return mine;
        });

        var all = ends.SelectMany(e => e).ToList();
        Assert.NotEmpty(all);
        Assert.Equal(all.Count, all.Select(e => e.Job).Distinct().Count());
        var listed = new List<string>();
        foreach (var item in items) listed.AddRange((await Points.ListAsync(item.Key, Token)).Select(p => p.Name));
        Assert.Equal(all.Select(e => e.Point).OfType<string>().Order(), listed.Order());
        var completed = (await Ledger.ListAsync(vault.Key, new(), null, int.MaxValue, Token)).Count(j => j.State == JobStates.Completed);
        Assert.Equal(listed.Count, completed);
    }

    /// <summary>What the ledger should know of one item.</summary>
    private sealed class Model
    {
        public Guid? Live { get; private set; }
        public long Fence { get; private set; }
        public bool HasLease { get; set; }
        public bool IsOwned { get; set; }
        public bool IsCancelled { get; set; }
        public List<string> Points { get; } = [];
        public Dictionary<Guid, string> Ends { get; } = [];
        public bool IsFree => Live is not null && !HasLease;

        public void Admit(Guid id)
        {
            if (Live is not null) return;
            (Live, Fence, HasLease, IsOwned, IsCancelled) = (id, 0, false, false, false);
        }

        public void Claim(bool isLong) => (Fence, HasLease, IsOwned) = (Fence + 1, isLong, true);

        public bool Holds(JobClaim claim) => claim.Job.Id == Live && claim.Fence == Fence;

        public void End(string state)
        {
            Ends[Live!.Value] = state;
            Live = null;
        }
    }
}
