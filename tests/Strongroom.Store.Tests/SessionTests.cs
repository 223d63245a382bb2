using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests;

public sealed class SessionTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task A_full_disk_fails_the_session_and_leaves_the_vault_as_it_was()
    {
        var disk = new SparseDisk(20 << 20);
        disk.Write(0, TestVault.Noise(1, 1 << 20));
        for (var room = 0; room < 5_000_000; room += 350_000)
        {
            var backend = new FullBackend(new MemoryBackend());
            await using var vault = await TestVault.CreateAsync(backend);
            var first = await vault.BackUpAsync(disk);
            var before = disk.Resize(disk.LengthBytes);
            var grown = disk.Resize(disk.LengthBytes);
            grown.Write(4 << 20, TestVault.Noise(2, 5 << 20));
            backend.SetRoom(room);
            var failure = await Assert.ThrowsAsync<StoreException>(() => vault.BackUpAsync(grown, first.Images[0].Image));
            Assert.Equal(StoreErrorKind.Full, failure.Kind);
            Assert.Equal(first.Id, Assert.Single(vault.Snapshots).Id);
            backend.SetRoom(long.MaxValue);
            var retried = await vault.BackUpAsync(grown, first.Images[0].Image);
            await vault.AssertRestoresAsync(retried.Images[0].Image, grown);
            await vault.AssertRestoresAsync(first.Images[0].Image, before);
            Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
        }
    }

    [Fact]
    public async Task A_commit_that_found_the_disk_full_succeeds_when_it_is_repeated()
    {
        var backend = new FullBackend(new MemoryBackend());
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(70L << 20);
        await using var session = await vault.OpenSessionAsync(None);
        var image = await session.WriteImageAsync(disk, null, null, None);
        var draft = TestVault.Draft(image);
        backend.SetRoom(0);
        await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(draft, None));
        Assert.Null(vault.Find(draft.Id));
        backend.SetRoom(long.MaxValue);
        Assert.Equal(draft.Id, (await session.CommitAsync(draft, None)).Id);
    }

    [Fact]
    public async Task Committing_the_same_id_again_returns_the_first()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, "x"u8);
        await using var session = await vault.OpenSessionAsync(None);
        var draft = TestVault.Draft(await session.WriteImageAsync(disk, null, null, None));
        var first = await session.CommitAsync(draft, None);
        Assert.Same(first, await session.CommitAsync(draft, None));
        await using var other = await vault.OpenSessionAsync(None);
        Assert.Same(first, await other.CommitAsync(draft with { ItemId = "another" }, None));
        Assert.Single(vault.Snapshots);
        Assert.Equal("vm1", first.ItemId);
        Assert.Equal(draft.Configuration.ToArray(), first.Configuration.ToArray());
    }

    [Fact]
    public async Task Sessions_that_write_the_same_bytes_at_once_both_restore()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disks = Enumerable.Range(0, 4).Select(i =>
        {
            var disk = new SparseDisk(70L << 20);
            disk.Write(i * 4096, TestVault.Noise(1, 100_000));
            disk.Write(10 << 20, TestVault.Noise(2, 6 << 20));
            return disk;
        }).ToList();
        var images = await Task.WhenAll(disks.Select(disk => Task.Run(async () => (await vault.BackUpAsync(disk)).Images[0].Image)));
        for (var i = 0; i < disks.Count; i++)
            await vault.AssertRestoresAsync(images[i], disks[i]);
        Assert.True((await vault.VerifyAsync(readData: true, null, None)).IsHealthy);
        Assert.Equal(4, vault.Statistics.Snapshots);
    }

    [Fact]
    public async Task Several_disks_go_into_one_snapshot_together()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disks = Enumerable.Range(0, 3).Select(i =>
        {
            var disk = new SparseDisk(5 << 20);
            disk.Write(i * 100_000, TestVault.Prose(i, 2 << 20));
            return disk;
        }).ToList();
        await using var session = await vault.OpenSessionAsync(None);
        var images = await Task.WhenAll(disks.Select(disk => session.WriteImageAsync(disk, null, null, None)));
        var snapshot = await session.CommitAsync(TestVault.Draft(images), None);
        Assert.Equal([0, 1, 2], snapshot.Images.Select(image => image.Lun));
        for (var i = 0; i < disks.Count; i++)
            await vault.AssertRestoresAsync(snapshot.Images[i].Image, disks[i]);
    }

    [Fact]
    public async Task A_session_that_was_not_committed_leaves_nothing_to_see()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(9 << 20);
        disk.Write(0, TestVault.Noise(1, 8 << 20));
        ImageRef image;
        await using (var session = await vault.OpenSessionAsync(None))
            image = await session.WriteImageAsync(disk, null, null, None);
        Assert.Empty(vault.Snapshots);
        await Assert.ThrowsAsync<StoreException>(() => vault.OpenImageAsync(image, None));
        var report = await vault.CollectAsync([], TestVault.AtOnce, None);
        Assert.True(report.PacksDeleted > 0);
        Assert.Equal(0, vault.Statistics.BytesStored);
    }

    [Fact]
    public async Task What_an_interrupted_backup_had_sealed_is_not_stored_again()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk(20 << 20);
        disk.Write(0, TestVault.Noise(1, 12 << 20));
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            await using var session = await vault.OpenSessionAsync(None);
            await session.WriteImageAsync(disk, null, null, None);
        }

        await using var again = await TestVault.OpenAsync(backend);
        var second = await again.BackUpCountedAsync(disk);
        Assert.True(second.Statistics.BytesDeduplicated >= 8 << 20, $"{second.Statistics}");
        await again.AssertRestoresAsync(second.Image, disk);
    }

    [Fact]
    public async Task Progress_of_a_restore_rises_to_the_length_of_the_image()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(300L << 20);
        disk.Write(0, TestVault.Noise(1, 3 << 20));
        disk.Write(200L << 20, TestVault.Noise(2, 3 << 20));
        var image = (await vault.BackUpAsync(disk)).Images[0].Image;
        var seen = new System.Collections.Concurrent.ConcurrentQueue<long>();
        await vault.RestoreAsync(image, new SparseDisk(disk.LengthBytes), new Bytes(seen.Enqueue), None);
        Assert.Equal(disk.LengthBytes, seen.Last());
        Assert.All(seen, bytes => Assert.InRange(bytes, 1, disk.LengthBytes));
        Assert.True(seen.Distinct().Count() > 4);
    }

    [Fact]
    public async Task A_cancelled_backup_ends_as_cancelled()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(200L << 20) { KnowsHoles = false };
        using var stop = new CancellationTokenSource();
        await using var session = await vault.OpenSessionAsync(None);
        var progress = new Reports(_ => stop.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session.WriteImageAsync(disk, null, progress, stop.Token));
        await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(), None));
    }

    [Fact]
    public async Task A_parent_that_no_snapshot_holds_is_refused()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, "x"u8);
        var first = await vault.BackUpAsync(disk);
        await vault.DeleteSnapshotAsync(first.Id, None);
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.BackUpAsync(disk, first.Images[0].Image));
        Assert.Equal(StoreErrorKind.NotFound, failure.Kind);
    }

    [Fact]
    public async Task A_draft_beyond_its_limits_is_refused()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        await using var session = await vault.OpenSessionAsync(None);
        SnapshotDraft[] drafts =
        [
            TestVault.Draft() with { Configuration = new byte[(1 << 20) + 1] },
            TestVault.Draft() with { ItemId = new string('x', 5000) },
            TestVault.Draft() with { Id = default },
            TestVault.Draft(new ImageRef(1000, 1, default)),
        ];
        foreach (var draft in drafts)
            Assert.Equal(StoreErrorKind.InvalidRequest, (await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(draft, None))).Kind);
        Assert.NotNull(await session.CommitAsync(TestVault.Draft() with { Configuration = new byte[1 << 20] }, None));
    }

    [Fact]
    public async Task Snapshots_are_dated_after_every_one_that_was_committed_earlier()
    {
        var clock = TestVault.Clock();
        var backend = new MemoryBackend();
        await using var vault = await VaultStore.CreateAsync(backend, TestVault.Key, TestVault.Small, clock, None);
        var first = await vault.BackUpAsync(new SparseDisk(0));
        clock.AdjustTime(clock.GetUtcNow().AddYears(-1));
        var second = await vault.BackUpAsync(new SparseDisk(0));
        Assert.True(second.CreatedAt > first.CreatedAt);
        Assert.True(second.LogSequence > first.LogSequence);
    }

    [Fact]
    public async Task A_cancelled_restore_returns_when_nobody_writes_into_its_sink_any_more()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(16 << 20);
        disk.Write(0, TestVault.Noise(1, 16 << 20));
        var image = (await vault.BackUpAsync(disk)).Images[0].Image;
        var sink = new HeldSink();
        using var cancel = new CancellationTokenSource();

        var restoring = vault.RestoreAsync(image, sink, null, cancel.Token);
        await sink.Entered.Task;
        await cancel.CancelAsync();
        Assert.NotSame(restoring, await Task.WhenAny(restoring, Task.Delay(300, None)));
        sink.Release.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => restoring);
        Assert.Equal(0, sink.Writing);
    }

    [Fact]
    public async Task A_session_that_died_of_an_unexpected_fault_keeps_no_packs_from_collections()
    {
        var backend = new BrokenCommits(new MemoryBackend());
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, "x"u8);
        backend.IsBroken = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => vault.BackUpAsync(disk));
        backend.IsBroken = false;
        Assert.Empty(vault.PacksInUse());
    }

    private sealed class HeldSink : IImageSink
    {
        private int writing;

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Writing => Volatile.Read(ref writing);

        public async ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref writing);
            Entered.TrySetResult();
            await Release.Task;
            Interlocked.Decrement(ref writing);
        }
    }

    private sealed class Bytes(Action<long> onReport) : IProgress<long>
    {
        public void Report(long value) => onReport(value);
    }

    private sealed class Reports(Action<SessionProgress> onReport) : IProgress<SessionProgress>
    {
        public void Report(SessionProgress value) => onReport(value);
    }
}
