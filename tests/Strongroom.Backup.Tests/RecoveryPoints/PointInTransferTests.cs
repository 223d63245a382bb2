using System.Globalization;
using Strongroom.Backup.Catalogue;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Tests.Support;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Tests.RecoveryPoints;

/// <summary>A recovery point is shown from its snapshot on, and restored, kept and deleted only once it is in the vault.</summary>
public sealed class PointInTransferTests
{
    [Fact]
    public async Task A_point_is_listed_under_its_name_and_time_from_the_snapshot_on()
    {
        await using var rig = await Rig.NewAsync();
        var held = await HeldBackup.StartAsync(rig);

        var moving = await held.ShownAsync();
        var takenAt = rig.Time.GetUtcNow();
        Assert.Equal((takenAt, false, true, "CrashConsistent"), (moving.Time, moving.IsInVault, moving.IsInstant, moving.Consistency));
        Assert.Equal([(-1, "os")], moving.Disks);
        Assert.Equal(moving.Name, (await rig.Listing.FindAsync(held.Item, moving.Name, Rig.Token))!.Name);
        Assert.Equal((2, held.Earlier.Time, held.Earlier.Time), await rig.Listing.SummarizeAsync(held.Item, Rig.Token));
        var job = (await rig.Ledger.FindLiveAsync(held.Item.Key, Rig.Token))!;
        Assert.Equal(("Completed", "InProgress"), (job.Tasks[0].State, job.Tasks[1].State));

        // Nothing that restores, keeps or deletes knows it.
        Assert.Equal([held.Earlier.SnapshotId], await rig.Points.ListSnapshotIdsAsync(held.Vault.Key, Rig.Token));
        Assert.Single(await rig.PointsAsync(held.Vault, held.Machine));
        var request = new RestoreRequest(moving.Name, Rig.AccountId, null, null, "https://host:1");
        var refused = await Assert.ThrowsAsync<BackupRefusedException>(() => rig.Admission.CheckRestoreAsync(held.Vault, held.Item.NativeName, moving.Name, request, Rig.Token));
        Assert.Equal(BackupRefusal.ItemBusy, refused.Refusal);
        Assert.Contains("transferred", refused.Message, StringComparison.Ordinal);

        // The transfer takes an hour.
        rig.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(JobStates.Completed, (await held.EndAsync()).State);
        var listed = await held.ListAsync();
        Assert.Equal([moving.Name, held.Earlier.Name], listed.Select(p => p.Name));
        Assert.Equal((takenAt, true, true), (listed[0].Time, listed[0].IsInVault, listed[0].IsInstant));
        Assert.Equal(moving.Disks, listed[0].Disks);
        Assert.Equal(takenAt, (await rig.Items.FindAsync(held.Item.Key, Rig.Token))!.LastRecoveryPointTime);
        await rig.Admission.CheckRestoreAsync(held.Vault, held.Item.NativeName, moving.Name, request, Rig.Token);

        // What the vault alone says is the same.
        await using var lost = await Rig.NewAsync();
        var store = await rig.Stores.OpenAsync(held.Vault.Key, Rig.Token);
        await new CatalogueRebuild(lost.Vaults, lost.Items, lost.Policies, lost.Containers, lost.Resources, lost.Get<ICatalogueWriter>(), lost.Time).RunAsync(store, null, Rig.Subscription, Rig.Token);
        Assert.Equal(listed.Select(p => (p.Name, p.Time)), (await lost.Points.ListAsync(held.Item.Key, Rig.Token)).Select(p => (p.Name, p.Time)));
        Assert.Equal(takenAt, (await lost.Items.FindAsync(held.Item.Key, Rig.Token))!.LastRecoveryPointTime);
    }

    [Fact]
    public async Task A_point_in_transfer_is_on_the_pages_and_in_the_times_where_it_belongs()
    {
        await using var rig = await Rig.NewAsync();
        var held = await HeldBackup.StartAsync(rig);
        var moving = await held.ShownAsync();

        Task<IReadOnlyList<ListedPoint>> PageAsync(string? after, int count, DateTimeOffset? from = null, DateTimeOffset? until = null) =>
            rig.Listing.ListAsync(held.Item, from, until, after, count, Rig.Token);
        Assert.Equal(moving.Name, Assert.Single(await PageAsync(null, 1)).Name);
        Assert.Equal(held.Earlier.Name, Assert.Single(await PageAsync(moving.Name, 1)).Name);
        Assert.Empty(await PageAsync(held.Earlier.Name, 1));
        Assert.Equal(moving.Name, Assert.Single(await PageAsync(null, 9, from: moving.Time)).Name);
        Assert.Equal(held.Earlier.Name, Assert.Single(await PageAsync(null, 9, until: moving.Time.AddTicks(-1))).Name);
        Assert.Empty(await PageAsync(null, 9, from: moving.Time.AddTicks(1)));
        await held.EndAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_point_vanishes_with_a_transfer_that_fails_or_is_cancelled(bool isCancelled)
    {
        await using var rig = await Rig.NewAsync();
        var held = await HeldBackup.StartAsync(rig);
        var moving = await held.ShownAsync();

        if (isCancelled) await rig.Admission.CancelAsync(held.Vault, held.JobId, Rig.Token);
        else held.Fail();

        var job = await rig.EndOfAsync(held.Vault, held.JobId);
        Assert.Equal(isCancelled ? JobStates.CompletedWithWarnings : JobStates.Failed, job.State);
        Assert.Equal(held.Earlier.Name, Assert.Single(await held.ListAsync()).Name);
        Assert.Null(await rig.Listing.FindAsync(held.Item, moving.Name, Rig.Token));
        Assert.Equal((1, held.Earlier.Time, held.Earlier.Time), await rig.Listing.SummarizeAsync(held.Item, Rig.Token));
        await held.DisposeAsync();
    }

    [Fact]
    public async Task After_a_crash_the_point_is_gone_and_the_next_run_has_one_of_its_own()
    {
        await using var rig = await Rig.NewAsync();
        var held = await HeldBackup.StartAsync(rig);
        var dead = await held.ShownAsync();
        // The server stops: the job stays live, its snapshot does not.
        await held.DisposeAsync();
        Assert.True((await rig.Ledger.FindAsync(held.Vault.Key, held.JobId, Rig.Token))!.IsLive);
        Assert.Equal(held.Earlier.Name, Assert.Single(await held.ListAsync()).Name);

        rig.Time.Advance(TimeSpan.FromMinutes(3));
        await held.RestartAsync();
        var again = await held.ShownAsync();
        Assert.Equal(rig.Time.GetUtcNow(), again.Time);
        Assert.NotEqual(dead.Name, again.Name);
        await held.EndAsync();
        Assert.Equal([again.Name, held.Earlier.Name], (await held.ListAsync()).Select(p => p.Name));
    }

    [Fact]
    public async Task A_disk_that_moved_takes_its_point_along_and_a_new_snapshot_is_another_point()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
        var seen = new List<string>();
        machine.Disks[0].OnRead = async (offset, _) =>
        {
            if (offset != 0) return;
            var shown = Assert.Single(await rig.Listing.ListAsync(item, null, null, null, 9, Rig.Token));
            if (seen.Count == 0) machine.Disks[0].Write(1 << 20, 1, 2, 3);
            seen.Add(shown.Name);
            rig.Time.Advance(TimeSpan.FromMinutes(1));
        };

        Assert.Equal(JobStates.Completed, (await rig.BackUpAsync(vault, machine)).State);

        Assert.Equal(2, seen.Distinct().Count());
        Assert.Equal(seen[^1], Assert.Single(await rig.PointsAsync(vault, machine)).Name);
    }

    [Fact]
    public async Task Names_count_on_while_a_clock_that_was_set_back_catches_up()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);
        var newest = Assert.Single(await rig.PointsAsync(vault, machine));

        var next = PointIdentity.Next(newest.Time.AddHours(-2), newest);

        Assert.Equal((newest.Time, long.Parse(newest.Name, CultureInfo.InvariantCulture) + 1), (next.Time, long.Parse(next.Name, CultureInfo.InvariantCulture)));
        var later = PointIdentity.Next(newest.Time.AddHours(2), newest);
        Assert.Equal((newest.Time.AddHours(2), 18), (later.Time, later.Name.Length));
    }

    [Fact]
    public async Task What_was_committed_before_names_were_kept_is_named_after_its_commit()
    {
        await using var rig = await Rig.NewAsync();
        var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
        await rig.BackUpAsync(vault, machine);
        var store = await rig.Stores.OpenAsync(vault.Key, Rig.Token);
        var made = Assert.Single(store.Snapshots);
        var old = SnapshotConfiguration.Read(made.Configuration) with { Point = null };
        await using (var session = await store.OpenSessionAsync(Rig.Token))
        {
            await session.CommitAsync(
                new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = made.ItemId, Images = [], Consistency = made.Consistency, Configuration = old.Write() }, Rig.Token);
        }

        await using var lost = await Rig.NewAsync();
        await new CatalogueRebuild(lost.Vaults, lost.Items, lost.Policies, lost.Containers, lost.Resources, lost.Get<ICatalogueWriter>(), lost.Time).RunAsync(store, null, Rig.Subscription, Rig.Token);

        var commit = store.Snapshots.Single(s => s.Id != made.Id);
        var points = await lost.Points.ListAsync(Guid.ParseExact(made.ItemId, "N"), Rig.Token);
        Assert.Equal(commit.CreatedAt, Assert.Single(points, p => p.SnapshotId == commit.Id.Value).Time);
        Assert.Equal(18, points[0].Name.Length);
        Assert.Equal(2, points.Count);
    }

    /// <summary>A machine with one recovery point, and a backup whose disk waits to be read.</summary>
    private sealed class HeldBackup : IAsyncDisposable
    {
        private readonly Rig _rig;
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private RunningWorker? _worker;

        private HeldBackup(Rig rig, Vault vault, FakeMachine machine, ProtectedItem item, RecoveryPoint earlier, Guid jobId) =>
            (_rig, Vault, Machine, Item, Earlier, JobId) = (rig, vault, machine, item, earlier, jobId);

        public Vault Vault { get; }
        public FakeMachine Machine { get; }
        public ProtectedItem Item { get; }
        public RecoveryPoint Earlier { get; }
        public Guid JobId { get; }

        public static async Task<HeldBackup> StartAsync(Rig rig)
        {
            var (vault, machine) = await rig.ProtectedMachineAsync(FakeDisk.New(-1, "os", 1));
            await rig.BackUpAsync(vault, machine);
            var earlier = Assert.Single(await rig.PointsAsync(vault, machine));
            rig.Time.Advance(TimeSpan.FromMinutes(10));
            machine.Disks[0].Write(0, 9, 9, 9);
            var operation = await rig.Admission.BackUpAsync(vault, Rig.NativeName(machine), null, Rig.Token);
            var item = (await rig.Items.FindAsync(vault.Key, Rig.NativeName(machine), Rig.Token))!;
            var held = new HeldBackup(rig, vault, machine, item, earlier, operation.JobId!.Value);
            machine.Disks[0].OnRead = (_, token) => new(held._gate.Task.WaitAsync(token));
            await held.RestartAsync();
            return held;
        }

        public async Task RestartAsync() => _worker = await _rig.StartWorkerAsync();

        public Task<IReadOnlyList<ListedPoint>> ListAsync() => _rig.Listing.ListAsync(Item, null, null, null, 99, Rig.Token);

        /// <summary>Waits until the point in transfer is listed, first of two.</summary>
        public async Task<ListedPoint> ShownAsync()
        {
            IReadOnlyList<ListedPoint> listed = [];
            await Rig.UntilAsync(async () => (listed = await ListAsync()).Count == 2);
            Assert.Equal(Earlier.Name, listed[1].Name);
            return listed[0];
        }

        public void Fail() => _gate.SetException(new IOException("The disk is gone."));

        /// <summary>Lets the transfer go on to its end.</summary>
        public async Task<Job> EndAsync()
        {
            _gate.SetResult();
            var job = await _rig.EndOfAsync(Vault, JobId);
            await DisposeAsync();
            return job;
        }

        public ValueTask DisposeAsync() => _worker?.DisposeAsync() ?? default;
    }
}
