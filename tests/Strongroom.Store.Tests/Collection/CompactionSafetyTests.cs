using System.Collections;
using Strongroom.Store.Collection;
using Strongroom.Store.Keys;
using Strongroom.Store.Log;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

/// <summary>A compaction deletes the only copy of what it moved: nothing may be wrong with the new one.</summary>
public sealed class CompactionSafetyTests
{
    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("packs/", 300_000)]
    [InlineData("gc/", 100)]
    public async Task Nothing_is_deleted_when_the_storage_does_not_give_back_what_was_copied(string folder, int at)
    {
        var backend = new BadPlace(folder, at);
        var (kept, disk) = await CompactionTests.MakeHalfDeadAsync(backend);
        await using var vault = await TestVault.OpenAsync(backend);
        backend.IsArmed = true;
        var failure = await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync([kept.Id], TestVault.Compact, None));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        backend.IsArmed = false;
        await CompactionTests.AssertGoodAsync(vault, kept, disk);
        Assert.True((await vault.CollectAsync([kept.Id], TestVault.Compact, None)).PacksCompacted > 0);
        await CompactionTests.AssertGoodAsync(vault, kept, disk);
    }

    [Fact]
    public async Task A_table_that_no_reader_would_accept_is_not_written()
    {
        var backend = new MemoryBackend();
        var write = () => RelocationFormat.WriteAsync(backend, KeyRing.Generate(Guid.NewGuid()), new(1, 1), new Endless(), None);
        var failure = await Assert.ThrowsAsync<StoreException>(write);
        Assert.Equal(StoreErrorKind.Unsupported, failure.Kind);
        Assert.Empty(await backend.AllAsync("gc/"));
    }

    [Fact]
    public async Task A_pack_is_moved_once_when_another_collection_moves_it_between_mark_and_condemnation()
    {
        var backend = new Interrupted();
        var (kept, disk) = await CompactionTests.MakeHalfDeadAsync(backend);
        await using var slow = await TestVault.OpenAsync(backend);

        // The other one dies before it deletes.
        await using var quick = await TestVault.OpenAsync(new Undeletable(backend.Inner));
        var failures = 0;
        backend.BeforeNextEntry = async () =>
        {
            try
            {
                await quick.CollectAsync([kept.Id], TestVault.Compact, None);
            }
            catch (StoreException)
            {
                failures++;
            }
        };
        await slow.CollectAsync([kept.Id], TestVault.Compact, None);
        Assert.Equal(1, failures);
        var packs = slow.Log.State.Collection.Tables.Values.SelectMany(table => table.Numbers).ToList();
        Assert.NotEmpty(packs);
        Assert.Distinct(packs);
        await CompactionTests.AssertGoodAsync(slow, kept, disk);
    }

    [Fact]
    public async Task A_table_of_a_newer_key_is_read_by_a_process_that_opened_the_vault_before()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await CompactionTests.MakeHalfDeadAsync(backend);
        await using var reading = await TestVault.OpenAsync(backend);
        await using (var collecting = await TestVault.OpenAsync(backend))
        {
            await collecting.Keys.RotateAsync(None);
            Assert.True((await collecting.CollectAsync([kept.Id], TestVault.Compact, None)).PacksCompacted > 0);
        }

        await reading.AssertRestoresAsync(kept.Images[0].Image, disk);
    }

    [Fact]
    public void Of_two_tables_that_moved_a_pack_the_newer_counts()
    {
        var state = new CollectionState();
        var random = new Random(1);
        for (var sequence = 1; sequence <= 200; sequence += 2)
        {
            Apply(LogEntryType.Condemn, sequence, new CondemnPayload(0, 0, Store.Packs.PackRangeSet.OfPacks([7])).Format());
            Apply(
                LogEntryType.Sweep, sequence + 1,
                new SweepPayload(sequence, new(), Store.Packs.PackRangeSet.OfPacks([7]), (ulong)random.NextInt64(), []).Format());
            Assert.Equal(sequence, state.TableOf(7)?.CondemnSequence);
        }

        void Apply(LogEntryType type, long sequence, byte[] payload) =>
            Assert.True(state.TryApply(new(sequence, type, new byte[32], Guid.Empty, DateTimeOffset.UnixEpoch, payload, new byte[32])));
    }

    /// <summary>Storage of which, while armed, one place of new blobs of a folder holds a wrong bit.</summary>
    private sealed class BadPlace(string folder, int at) : BentBackend
    {
        public bool IsArmed { get; set; }

        protected override async ValueTask<int> ReadBackAsync(
            string name, IBlobWriter inner, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            var count = await inner.ReadBackAsync(offsetBytes, buffer, cancellationToken);
            if (IsArmed && name.StartsWith(folder, StringComparison.Ordinal) && at >= offsetBytes && at < offsetBytes + count)
                buffer.Span[(int)(at - offsetBytes)] ^= 8;
            return count;
        }

        protected override async ValueTask<bool> CommitAsync(string name, IBlobWriter inner, CancellationToken cancellationToken)
        {
            var isCreated = await inner.CommitAsync(cancellationToken);
            if (IsArmed && name.StartsWith(folder, StringComparison.Ordinal) && inner.LengthBytes > at)
            {
                var content = await Inner.ContentAsync(name);
                content[at] ^= 8;
                await Inner.ReplaceAsync(name, content);
            }

            return isCreated;
        }
    }

    private sealed class Interrupted : BentBackend
    {
        public Func<Task>? BeforeNextEntry { get; set; }

        public override async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            if (LogEntry.ParseName(name) is not null && BeforeNextEntry is { } interrupt)
            {
                BeforeNextEntry = null;
                await interrupt();
            }

            return await base.PutIfAbsentAsync(name, content, cancellationToken);
        }
    }

    private sealed class Undeletable(IBlobBackend inner) : PassThroughBackend(inner)
    {
        public override ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
            throw new StoreException(StoreErrorKind.Io, "The storage is gone.");
    }

    /// <summary>One record more than the format has room for.</summary>
    private sealed class Endless : IReadOnlyList<Relocation>
    {
        public int Count => (1 << 28) + 1;

        public Relocation this[int index] => throw new InvalidOperationException();

        public IEnumerator<Relocation> GetEnumerator() => throw new InvalidOperationException();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
