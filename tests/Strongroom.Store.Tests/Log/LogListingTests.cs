using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Log;

/// <summary>What an opening makes of a listing that other processes changed meanwhile, and of checkpoints that come late.</summary>
public sealed class LogListingTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task An_entry_that_a_listing_passed_over_is_read_all_the_same()
    {
        var backend = new PatchyBackend();
        Snapshot kept;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            var gone = await vault.BackUpAsync(new SparseDisk(1));
            await vault.DeleteSnapshotAsync(gone.Id, None);
            backend.Hidden = LogEntry.NameOf(vault.Log.Head);
            kept = await vault.BackUpAsync(new SparseDisk(2));
        }

        await using var again = await TestVault.OpenAsync(backend);
        Assert.Empty(again.Log.Damage);
        Assert.Equal(kept.Id, Assert.Single(again.Snapshots).Id);
    }

    [Fact]
    public async Task A_checkpoint_is_not_written_over_damage_that_comes_to_light_at_its_place()
    {
        var backend = new MeetingBackend();
        var name = LogEntry.NameOf(257);
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            backend.BeforePut = (name, async () => Assert.True(await backend.Inner.PutIfAbsentAsync(name, new byte[300], None)));
            while (vault.Log.Head < 256)
                await vault.BackUpAsync(new SparseDisk(0));
            Assert.Null(backend.BeforePut);
            Assert.Single(vault.Log.Damage);
        }

        await using var again = await TestVault.OpenAsync(backend);
        Assert.Single(again.Log.Damage);
    }

    [Fact]
    public async Task A_process_that_writes_many_checkpoints_repeats_nothing_in_them()
    {
        var backend = new MemoryBackend();
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            await vault.BackUpAsync(Disk());
            for (var checkpoint = 0; checkpoint < 5; checkpoint++)
                await vault.Log.AppendAsync(LogEntryType.Checkpoint, _ => vault.Log.State.FormatCheckpoint(), None);
        }

        var checkpoints = (await backend.AllAsync("log/"))[^5..];
        Assert.Single(checkpoints.Select(blob => blob.LengthBytes).Distinct());
    }

    [Fact]
    public async Task A_process_that_writes_little_takes_few_pack_numbers_and_one_that_writes_much_takes_ever_more_at_once()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        await vault.BackUpAsync(Disk());
        Assert.InRange(vault.Log.State.PackNumbers.NextPackSeq, 2u, 17u);
        var before = vault.Log.Head;
        var numbers = new HashSet<uint>();
        for (var i = 0; i < 4000; i++)
            Assert.True(numbers.Add(await vault.AllocatePackSeqAsync(None)));
        Assert.Equal(8, vault.Log.Head - before);
        Assert.InRange(vault.Log.State.PackNumbers.NextPackSeq, numbers.Max() + 1, numbers.Max() + 1024);
    }

    [Fact]
    public async Task An_opening_reads_the_commits_that_a_checkpoint_names_many_at_a_time_and_not_all_at_once()
    {
        var backend = new WaitingBackend();
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            for (var i = 0; i < 70; i++)
                await vault.BackUpAsync(new SparseDisk(i));
            await vault.Log.AppendAsync(LogEntryType.Checkpoint, _ => vault.Log.State.FormatCheckpoint(), None);
        }

        backend.IsSlow = true;
        await using var again = await TestVault.OpenAsync(backend);
        Assert.Equal(70, again.Snapshots.Count);
        Assert.Equal(32, backend.GreatestReads);
    }

    [Fact]
    public async Task A_hole_of_any_length_is_read_through_when_the_entry_after_it_is_genuine()
    {
        const long Behind = 70_000;
        var backend = new PatchyBackend();
        Snapshot first, middle;
        await using (var vault = await TestVault.CreateAsync(backend))
            first = await vault.BackUpAsync(new SparseDisk(1));
        var copy = await backend.CopyAsync();
        await using (var other = await TestVault.OpenAsync(copy))
        {
            middle = await other.BackUpAsync(new SparseDisk(2));
            await PutAsync(backend, other, Behind - 100, LogEntryType.Commit, SnapshotPayload.Format(TestVault.Draft() with { Id = middle.Id }, other.Log.Now));
            await PutAsync(backend, other, Behind, LogEntryType.Clock, new PayloadWriter().Int64(other.Log.Now.ToUnixTimeMilliseconds()).ToArray());
        }

        backend.Hidden = LogEntry.NameOf(Behind - 100);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.Equal(Behind, again.Log.Head);
        Assert.Equal([first.Id, middle.Id], again.Snapshots.OrderBy(snapshot => snapshot.LogSequence).Select(snapshot => snapshot.Id));
        Assert.Equal([Behind - 101, Behind - 1], again.LogLosses.Where(loss => loss.LastEntry > loss.FirstEntry).Select(loss => loss.LastEntry));
    }

    [Fact]
    public async Task A_stray_file_far_beyond_the_end_is_told_and_not_counted_up_to()
    {
        var backend = new MemoryBackend();
        await using (var vault = await TestVault.CreateAsync(backend))
            await vault.BackUpAsync(Disk());
        await backend.PutIfAbsentAsync(LogEntry.NameOf(4_000_000_000), new byte[300], None);
        await using var again = await TestVault.OpenAsync(backend);
        Assert.InRange(again.Log.Head, 1, 100);
        Assert.Contains("no entry of this log", Assert.Single(again.LogLosses).What, StringComparison.Ordinal);

        // It is no entry that was lost: an ACCEPT that named it could be read by nobody.
        var failure = await Assert.ThrowsAsync<StoreException>(() => again.AcceptLossAsync(again.LogLosses, [], None));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        await again.BackUpAsync(Disk());
        await using var last = await TestVault.OpenAsync(backend);
        Assert.Equal(2, last.Snapshots.Count);
    }

    private static async Task PutAsync(IBlobBackend backend, VaultStore vault, long sequence, LogEntryType type, byte[] payload)
    {
        var (bytes, _) = LogEntry.Seal(
            vault.Packs.Ring, sequence, type, new byte[32], Guid.NewGuid(), new byte[LogEntry.SaltLengthBytes], vault.Log.Now.AddSeconds(sequence), payload);
        Assert.True(await backend.PutIfAbsentAsync(LogEntry.NameOf(sequence), bytes, None));
    }

    private static SparseDisk Disk()
    {
        var disk = new SparseDisk(1 << 20);
        disk.Write(0, TestVault.Noise(1, 300_000));
        return disk;
    }

    /// <summary>A storage that counts how many log entries are read at the same time.</summary>
    private sealed class WaitingBackend : BentBackend
    {
        private readonly Lock gate = new();
        private int reads;

        public bool IsSlow { get; set; }

        public int GreatestReads { get; private set; }

        public override async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            if (!IsSlow || !name.StartsWith("log/", StringComparison.Ordinal))
                return await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
            lock (gate)
                GreatestReads = Math.Max(GreatestReads, ++reads);
            await Task.Delay(20, cancellationToken);
            lock (gate)
                reads--;
            return await base.ReadAsync(name, offsetBytes, buffer, cancellationToken);
        }
    }

    /// <summary>A storage whose listings may pass over what is created while they run.</summary>
    private sealed class PatchyBackend : BentBackend
    {
        public string? Hidden { get; set; }

        public override async IAsyncEnumerable<BlobInfo> ListAsync(
            string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var blob in base.ListAsync(prefix, cancellationToken))
            {
                if (blob.Name != Hidden)
                    yield return blob;
            }
        }
    }
}
