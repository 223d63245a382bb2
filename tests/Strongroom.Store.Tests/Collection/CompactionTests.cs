using Strongroom.Store.Collection;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Collection;

public sealed class CompactionTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task What_is_needed_of_a_pack_moves_and_the_pack_goes()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await MakeHalfDeadAsync(backend);
        await using (var vault = await TestVault.OpenAsync(backend))
        {
            var before = vault.Statistics.BytesStored;
            var report = await vault.CollectAsync([kept.Id], TestVault.Compact, None);
            Assert.True(report.PacksCompacted > 0 && report.BytesCopied > 0, $"{report}");
            Assert.True(vault.Statistics.BytesStored < before / 2, $"{before} -> {vault.Statistics.BytesStored}");
            await AssertGoodAsync(vault, kept, disk);
        }

        await using var again = await TestVault.OpenAsync(backend);
        await AssertGoodAsync(again, kept, disk);
        Assert.Equal(new(again.Statistics.Packs, 0, 0, 0, 0, 0), await again.CollectAsync([kept.Id], TestVault.Compact, None));

        // A later backup shares with what was moved, and stores nothing of it anew.
        var next = await again.BackUpCountedAsync(disk, kept.Images[0].Image);
        Assert.Equal(0, next.Statistics.BytesNew);
        await again.AssertRestoresAsync(next.Image, disk);
    }

    [Fact]
    public async Task What_one_collection_does_not_copy_the_next_ones_do()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await MakeHalfDeadAsync(backend);
        var together = 0;
        await using (var whole = await TestVault.OpenAsync(await backend.CopyAsync()))
            together = (await whole.CollectAsync([kept.Id], TestVault.Compact, None)).PacksCompacted;
        await using var vault = await TestVault.OpenAsync(backend);
        var live = (await vault.MarkAsync(None)).Live;
        var most = vault.PackSet.ToList().Max(pack => live.LiveIn(pack.PackSeq).Chunks);
        var runs = new List<int>();
        while (runs.Sum() < together && runs.Count < 100)
            runs.Add((await vault.CollectAsync([kept.Id], TestVault.Compact with { GreatestChunksToCompact = most }, None)).PacksCompacted);
        Assert.True(runs.Count > 1 && runs.All(count => count > 0), string.Join(' ', runs));
        await AssertGoodAsync(vault, kept, disk);
    }

    [Fact]
    public async Task What_moved_moves_again_and_tables_go_when_nothing_needs_them()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(70L << 20);
        var snapshots = new List<Snapshot>();
        var disks = new List<SparseDisk>();
        for (var i = 0; i < 5; i++)
        {
            // Each generation overwrites half of what the one before left.
            for (var j = 0; j < 24 >> i; j++)
                disk.Write(j << 18, TestVault.Noise((100 * i) + j, 1 << 18));
            snapshots.Add(await vault.BackUpAsync(disk, snapshots.LastOrDefault()?.Images[0].Image));
            disks.Add(disk.Resize(disk.LengthBytes));
        }

        // The middle one lives longest: its chunks of older generations move twice.
        foreach (var gone in (int[])[0, 1, 4, 3])
        {
            await vault.DeleteSnapshotAsync(snapshots[gone].Id, None);
            await vault.CollectAsync([snapshots[2].Id], TestVault.Compact, None);
            await AssertGoodAsync(vault, snapshots[2], disks[2]);
        }

        Assert.NotEmpty(vault.Log.State.Collection.Tables);
        var later = await vault.BackUpAsync(disks[2]);
        await vault.DeleteSnapshotAsync(snapshots[2].Id, None);
        await vault.CollectAsync([later.Id], TestVault.Compact, None);
        Assert.Empty(vault.Log.State.Collection.Tables);
        Assert.Empty(await backend.AllAsync("gc/"));
        await AssertGoodAsync(vault, later, disks[2]);
    }

    [Fact]
    public async Task Readers_and_restores_of_another_process_go_on_across_a_compaction()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await MakeHalfDeadAsync(backend);
        await using var reading = await TestVault.OpenAsync(backend);
        await using var reader = await reading.OpenImageAsync(kept.Images[0].Image, None);
        var first = new byte[5000];
        await reader.ReadAsync(300, first, None);
        await using (var collecting = await TestVault.OpenAsync(backend))
            Assert.True((await collecting.CollectAsync([kept.Id], TestVault.Compact, None)).PacksCompacted > 0);
        var all = new byte[disk.LengthBytes];
        await reader.ReadAsync(0, all, None);
        Assert.True(all.AsSpan().SequenceEqual(disk.Range(0, all.Length)));
        await reading.AssertRestoresAsync(kept.Images[0].Image, disk);
        Assert.True((await reading.VerifyAsync(readData: true, null, None)).IsHealthy);
    }

    [Fact]
    public async Task A_backup_whose_parent_is_compacted_under_it_shares_with_what_moved()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await MakeHalfDeadAsync(backend);
        await using var one = await TestVault.OpenAsync(backend);
        await using var session = await one.OpenSessionAsync(None);
        await using (var two = await TestVault.OpenAsync(backend))
            Assert.True((await two.CollectAsync([kept.Id], TestVault.Compact, None)).PacksCompacted > 0);
        disk.Write(40L << 20, TestVault.Noise(9, 400_000));
        var image = await session.WriteImageAsync(disk, kept.Images[0].Image, null, None);
        var snapshot = await session.CommitAsync(TestVault.Draft(image), None);
        await AssertGoodAsync(one, snapshot, disk);
        await one.DeleteSnapshotAsync(kept.Id, None);
        await one.CollectAsync([snapshot.Id], TestVault.Compact, None);
        await AssertGoodAsync(one, snapshot, disk);
    }

    [Fact]
    public async Task A_table_that_is_damaged_is_reported_with_the_snapshots_that_need_it()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await MakeHalfDeadAsync(backend);
        await using (var vault = await TestVault.OpenAsync(backend))
            await vault.CollectAsync([kept.Id], TestVault.Compact, None);
        var name = Assert.Single(await backend.AllAsync("gc/")).Name;
        var whole = await backend.ContentAsync(name);
        foreach (var at in (int[])[0, 20, 50, 100, whole.Length - 1, -1])
        {
            var damaged = whole.ToArray();
            if (at < 0)
                damaged = damaged[..^1];
            else
                damaged[at] ^= 4;
            await backend.ReplaceAsync(name, damaged);
            await using var vault = await TestVault.OpenAsync(backend);
            var failure = await Assert.ThrowsAsync<StoreException>(() => vault.RestoreAsync(kept.Images[0].Image));
            Assert.True(failure.Kind is StoreErrorKind.Corrupt or StoreErrorKind.WrongKey, $"{at}: {failure.Message}");
            var report = await vault.VerifyAsync(readData: false, null, None);
            Assert.Contains(report.Problems, problem => problem.Snapshots.Contains(kept.Id));
            Assert.Equal(StoreErrorKind.Corrupt, (await Assert.ThrowsAsync<StoreException>(() => vault.CollectAsync([], TestVault.Compact, None))).Kind);
        }

        await backend.ReplaceAsync(name, whole);
        await using var mended = await TestVault.OpenAsync(backend);
        await AssertGoodAsync(mended, kept, disk);
    }

    [Fact]
    public async Task A_pack_of_which_something_cannot_be_read_is_not_compacted()
    {
        var backend = new MemoryBackend();
        var (kept, _) = await MakeHalfDeadAsync(backend);
        foreach (var pack in await backend.AllAsync("packs/"))
        {
            var content = await backend.ContentAsync(pack.Name);
            for (var at = 100; at < content.Length - 20_000; at += 5000)
                content[at] ^= 1;
            await backend.ReplaceAsync(pack.Name, content);
        }

        await using var vault = await TestVault.OpenAsync(backend);
        var before = vault.Statistics.Packs;
        await vault.CollectAsync([kept.Id], TestVault.Compact, None);
        Assert.Contains((await vault.VerifyAsync(readData: true, null, None)).Problems, problem => problem.Snapshots.Contains(kept.Id));
        Assert.True(vault.Statistics.Packs >= before / 2);
    }

    [Fact]
    public async Task A_share_of_zero_compacts_nothing_and_a_small_one_a_part()
    {
        var backend = new MemoryBackend();
        var (kept, disk) = await MakeHalfDeadAsync(backend);
        await using var vault = await TestVault.OpenAsync(backend);
        Assert.Equal(0, (await vault.CollectAsync([kept.Id], TestVault.Compact with { GreatestShareToCompact = 0 }, None)).PacksCompacted);
        var some = await vault.CollectAsync([kept.Id], TestVault.Compact with { GreatestShareToCompact = 0.05 }, None);
        var rest = await vault.CollectAsync([kept.Id], TestVault.Compact, None);
        Assert.True(some.PacksCompacted > 0 && rest.PacksCompacted > some.PacksCompacted, $"{some} {rest}");
        await AssertGoodAsync(vault, kept, disk);
    }

    [Fact]
    public async Task Chunks_move_as_they_were_compressed()
    {
        var backend = new MemoryBackend();
        await using var vault = await TestVault.CreateAsync(backend);
        var text = TestVault.Prose(9, 6 << 20);
        var (dead, _) = await vault.StoreAsync(text);
        var (stream, _) = await vault.StoreAsync(text[..(3 << 20)]);
        var disk = new SparseDisk((1 << 20) + 1000);
        disk.Write(0, TestVault.Prose(3, 200_000));
        disk.Write(1 << 20, TestVault.Noise(3, 1000));
        disk.Write(1 << 19, TestVault.Noise(4, 1 << 18));
        var kept = await vault.BackUpAsync(disk);
        var before = await FramesAsync(vault);
        Assert.Equal([ChunkCodec.Raw, ChunkCodec.Zstd, ChunkCodec.Parts], before.Values.Select(frame => frame.Codec).Distinct().Order());
        await vault.DeleteSnapshotAsync(vault.Snapshots.Single(one => one.Streams.Any(item => item.Stream == dead)).Id, None);

        // All of what is there moves, be it worth it or not.
        var packs = await vault.RefreshPacksAsync(None);
        var live = (await vault.MarkAsync(None)).Live;
        var result = await new Compaction(vault, live, packs, new Dictionary<(uint, ushort), Slot>(), int.MaxValue).CopyAsync([.. packs.Select(pack => pack.PackSeq)], 99, None);

        var moved = (await FramesAsync(vault, packs.Max(pack => pack.PackSeq))).ToList();
        Assert.True(moved.Select(one => one.Value.Codec).Distinct().Count() == 3 && result.BytesCopied > 3 << 20, $"{moved.Count} {result}");
        Assert.All(moved, one => Assert.Equal(before[one.Key], one.Value));
        await vault.AssertRestoresAsync(stream, text[..(3 << 20)]);
        await AssertGoodAsync(vault, kept, disk);
    }

    /// <summary>How each data chunk is stored, by its id.</summary>
    private static async Task<Dictionary<ChunkId, (int Stored, int Raw, ChunkCodec Codec)>> FramesAsync(VaultStore vault, uint after = 0)
    {
        var frames = new Dictionary<ChunkId, (int Stored, int Raw, ChunkCodec Codec)>();
        foreach (var pack in vault.PackSet.ToList().Where(pack => pack.Content == PackContent.Data && pack.PackSeq > after))
        {
            foreach (var entry in await vault.Packs.GetDirectoryAsync(pack.Content, pack.PackSeq, None))
                frames[entry.Id] = (entry.StoredLengthBytes, entry.RawLengthBytes, entry.Codec);
        }

        return frames;
    }

    internal static async Task AssertGoodAsync(VaultStore vault, Snapshot snapshot, SparseDisk disk)
    {
        await vault.AssertRestoresAsync(snapshot.Images[0].Image, disk);
        var report = await vault.VerifyAsync(readData: true, null, None);
        Assert.True(report.IsHealthy, string.Join('\n', report.Problems));
    }

    /// <summary>A vault whose packs hold a fifth of what lives on among what does not.</summary>
    internal static async Task<(Snapshot Kept, SparseDisk Disk)> MakeHalfDeadAsync(IBlobBackend backend)
    {
        await using var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(70L << 20);
        for (var i = 0; i < 40; i++)
            disk.Write(i << 18, TestVault.Noise(i, 1 << 18));
        disk.Write(66L << 20, TestVault.Prose(1, 3 << 20));
        var first = await vault.BackUpAsync(disk);
        for (var i = 0; i < 40; i++)
        {
            if (i % 5 > 0)
                disk.Punch(i << 18, 1 << 18);
        }

        disk.Punch(66L << 20, 2 << 20);
        var kept = await vault.BackUpAsync(disk, first.Images[0].Image);
        await vault.DeleteSnapshotAsync(first.Id, None);
        return (kept, disk);
    }
}
