using CsCheck;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Caching;

/// <summary>What readers get through the cache that they share, and what the storage is asked for it.</summary>
public sealed class SharedReadTests
{
    private const int MiB = 1 << 20;
    private const int SlotBytes = 256 << 10;

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task Two_recovery_points_share_what_was_read_of_one()
    {
        var (backend, first, second) = await MakeChainAsync(2, ReadPattern.Disk);
        await using var vault = await TestVault.OpenAsync(backend);
        await using var one = await vault.OpenImageAsync(first, None);
        await using var other = await vault.OpenImageAsync(second, None);
        var buffer = new byte[4096];
        await one.ReadAsync(5 * MiB, buffer, None);
        await other.ReadAsync(0, buffer, None);
        backend.Take();
        await other.ReadAsync(5 * MiB, buffer, None);
        Assert.Equal(0, backend.Take().Requests);
        Assert.Equal(TestVault.Noise(20, SlotBytes)[..4096], buffer);
    }

    [Fact]
    public async Task A_random_read_asks_as_often_however_long_the_chain_of_recovery_points_is()
    {
        var counts = new List<long>();
        foreach (var length in (int[])[1, 5, 40])
        {
            var (backend, _, last) = await MakeChainAsync(length, ReadPattern.Disk);
            var most = 0L;
            for (var at = 0; at < 8; at++)
            {
                await using var vault = await TestVault.OpenAsync(backend);
                await using var reader = await vault.OpenImageAsync(last, None);
                backend.Take();
                await reader.ReadAsync(at * MiB, new byte[4096], None);
                most = Math.Max(most, backend.Take().Requests);
            }

            counts.Add(most);
        }

        // The leaf lies under the root, so it was read when the image was opened: the head of the pack and the part itself are left.
        Assert.All(counts, count => Assert.InRange(count, 1, 2));
    }

    [Fact]
    public async Task Of_a_chunk_that_was_not_compressed_one_part_alone_is_read()
    {
        var (backend, image, _) = await MakeChainAsync(1, ReadPattern.Disk);
        await using var vault = await TestVault.OpenAsync(backend);
        await using var reader = await vault.OpenImageAsync(image, None);
        await reader.ReadAsync(0, new byte[1], None);
        backend.Take();
        var buffer = new byte[4096];
        await reader.ReadAsync(MiB + (128 << 10) + 1, buffer, None);
        var (requests, bytes) = backend.Take();
        Assert.InRange(requests, 1, 2);
        Assert.InRange(bytes, 64 << 10, (64 << 10) + 128);
        Assert.Equal(TestVault.Noise(4, SlotBytes)[((128 << 10) + 1)..((132 << 10) + 1)], buffer);
    }

    [Fact]
    public async Task Readers_that_want_the_same_chunk_at_a_time_read_it_once()
    {
        var backend = new GatedBackend();
        var image = await MakeAsync(backend, Disk());
        await using var vault = await TestVault.OpenAsync(backend);
        await using var reader = await vault.OpenImageAsync(image, None);
        await reader.ReadAsync(0, new byte[1], None);
        backend.Close();
        var buffers = Enumerable.Range(0, 10).Select(_ => new byte[1000]).ToArray();
        var reads = buffers.Select((buffer, i) => reader.ReadAsync((2 * MiB) + (i * 1000), buffer, None).AsTask()).ToArray();
        backend.Open();
        await Task.WhenAll(reads);

        // The head of the pack, and the part.
        Assert.InRange(backend.Reads, 1, 2);
        for (var i = 0; i < buffers.Length; i++)
            Assert.Equal(TestVault.Noise(8, SlotBytes)[(i * 1000)..((i + 1) * 1000)], buffers[i]);
    }

    [Fact]
    public async Task Who_gives_up_leaves_those_who_wait_with_it_unharmed()
    {
        var backend = new GatedBackend();
        var image = await MakeAsync(backend, Disk());
        await using var vault = await TestVault.OpenAsync(backend);
        await using var reader = await vault.OpenImageAsync(image, None);
        await reader.ReadAsync(0, new byte[1], None);
        backend.Close();
        using var stop = new CancellationTokenSource();
        var first = reader.ReadAsync(2 * MiB, new byte[1000], stop.Token).AsTask();
        var buffer = new byte[1000];
        var second = reader.ReadAsync(2 * MiB, buffer, None).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        backend.Open();
        await second;
        Assert.Equal(TestVault.Noise(8, SlotBytes)[..1000], buffer);
    }

    [Fact]
    public async Task What_was_refused_once_is_read_again()
    {
        var (backend, image, _) = await MakeChainAsync(1, ReadPattern.Disk);
        await using var vault = await TestVault.OpenAsync(backend);
        await using var reader = await vault.OpenImageAsync(image, None);
        await reader.ReadAsync(0, new byte[1], None);
        backend.Misread("packs");
        var buffer = new byte[4096];
        var failure = await Assert.ThrowsAsync<StoreException>(async () => await reader.ReadAsync(3 * MiB, buffer, None));
        Assert.Equal(StoreErrorKind.Corrupt, failure.Kind);
        await reader.ReadAsync(3 * MiB, buffer, None);
        Assert.Equal(TestVault.Noise(12, SlotBytes)[..4096], buffer);
    }

    [Fact]
    public async Task Vaults_share_a_cache_and_a_closed_one_leaves_nothing_in_it()
    {
        var cache = new ReadCache(4 * MiB);
        var options = TestVault.Small with { ReadCache = cache };
        var (one, first, _) = await MakeChainAsync(1, ReadPattern.Disk);
        var (other, second, _) = await MakeChainAsync(1, ReadPattern.Disk);
        await using var kept = await TestVault.OpenAsync(other, options);
        await using var reader = await kept.OpenImageAsync(second, None);
        await reader.ReadAsync(0, new byte[1], None);
        var before = cache.Statistics.Pieces;
        await using (var vault = await TestVault.OpenAsync(one, options))
        {
            await using var closing = await vault.OpenImageAsync(first, None);
            await closing.ReadAsync(0, new byte[3 * MiB], None);
            Assert.True(cache.Statistics.Pieces > before + 40);
        }

        Assert.Equal(before, cache.Statistics.Pieces);
        Assert.InRange(cache.Statistics.Bytes, 1, cache.CapacityBytes);
    }

    [Fact]
    public async Task Readers_beside_each_other_get_the_truth_while_the_cache_is_too_small_and_collections_move_packs() =>
        await Gen.Select(Gen.Int, Gen.Int[4, 80]).SampleAsync(async (seed, pieces) =>
        {
            var backend = new MemoryBackend();
            var options = TestVault.Small with { ReadCache = new(pieces * ReadCache.LeastBytes / 4) };
            await using var vault = await TestVault.CreateAsync(backend, options);
            var disk = Disk();
            var points = new List<(Snapshot Snapshot, SparseDisk Disk)>();
            var random = new Random(seed);
            for (var i = 0; i < 4; i++)
            {
                points.Add((await vault.BackUpAsync(disk, points.LastOrDefault().Snapshot?.Images[0].Image), disk.Resize(disk.LengthBytes)));
                for (var change = 0; change < 6; change++)
                    disk.Write(random.Next(7 * MiB), change % 2 == 0 ? TestVault.Noise(random.Next(), 90_000) : TestVault.Prose(random.Next(), 70_000));
            }

            await using var one = await vault.OpenImageAsync(points[2].Snapshot.Images[0].Image, None);
            await using var other = await vault.OpenImageAsync(points[3].Snapshot.Images[0].Image, None);
            Task[] reading =
            [
                ReadAtRandomAsync(one, points[2].Disk, seed),
                ReadAtRandomAsync(other, points[3].Disk, seed + 1),
                ReadThroughAsync(one, points[2].Disk, 30_000),
                ReadThroughAsync(other, points[3].Disk, 400_000),
            ];
            foreach (var gone in points[..2])
            {
                await vault.DeleteSnapshotAsync(gone.Snapshot.Id, None);
                await vault.CollectAsync([points[2].Snapshot.Id], TestVault.Compact, None);
            }

            await Task.WhenAll(reading);
            Assert.InRange(options.ReadCache!.Statistics.Bytes, 1, options.ReadCache.CapacityBytes);
        }, iter: 15, threads: 1);

    private static async Task ReadAtRandomAsync(ImageReader reader, SparseDisk truth, int seed)
    {
        await Task.Yield();
        var random = new Random(seed);
        for (var i = 0; i < 150; i++)
        {
            var offset = random.NextInt64(truth.LengthBytes);
            await AssertReadsAsync(reader, truth, offset, (int)Math.Min(random.Next(1, i % 5 == 0 ? 600_000 : 9000), truth.LengthBytes - offset));
        }
    }

    private static async Task ReadThroughAsync(ImageReader reader, SparseDisk truth, int step)
    {
        await Task.Yield();
        for (var offset = 0L; offset < truth.LengthBytes; offset += step)
            await AssertReadsAsync(reader, truth, offset, (int)Math.Min(step, truth.LengthBytes - offset));
    }

    private static async Task AssertReadsAsync(ImageReader reader, SparseDisk truth, long offset, int count)
    {
        var buffer = new byte[count];
        await reader.ReadAsync(offset, buffer, None);
        Assert.True(buffer.AsSpan().SequenceEqual(truth.Range(offset, count)), $"{count} bytes at {offset}");
    }

    /// <summary>Slots of noise, numbered by their place, in 8 MiB.</summary>
    private static SparseDisk Disk()
    {
        var disk = new SparseDisk(8 * MiB);
        for (var slot = 0; slot < 32; slot++)
            disk.Write(slot * (long)SlotBytes, TestVault.Noise(slot, SlotBytes));
        return disk;
    }

    private static async Task<ImageRef> MakeAsync(IBlobBackend backend, SparseDisk disk)
    {
        await using var vault = await TestVault.CreateAsync(backend);
        return (await vault.BackUpAsync(disk)).Images[0].Image;
    }

    /// <summary>Recovery points of a disk of which the first MiB changes each time.</summary>
    private static async Task<(CountingBackend Backend, ImageRef First, ImageRef Last)> MakeChainAsync(int length, ReadPattern reads)
    {
        var backend = new CountingBackend { Reads = reads };
        var disk = Disk();
        await using var vault = await TestVault.CreateAsync(backend);
        var images = new List<ImageRef>();
        for (var i = 0; i < length; i++)
        {
            images.Add((await vault.BackUpAsync(disk, images.Count > 0 ? images[^1] : null)).Images[0].Image);
            disk.Write(i * 1000L, TestVault.Noise(1000 + i, 1000));
        }

        return (backend, images[0], images[^1]);
    }
}
