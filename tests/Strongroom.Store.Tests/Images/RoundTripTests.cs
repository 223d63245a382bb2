using CsCheck;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Images;

public sealed class RoundTripTests
{
    private const int Slot = 256 * 1024;
    private const int SubSlot = 64 * 1024;

    private enum Step
    {
        Noise,
        Prose,
        Punch,
        CopyOfFirst,
    }

    [Fact]
    public async Task A_disk_restores_byte_for_byte_and_again_after_reopening()
    {
        var backend = new MemoryBackend();
        var disk = new SparseDisk((70L << 20) + 12_345);
        disk.Write(1000, TestVault.Noise(1, 3 << 20));
        disk.Write(66L << 20, TestVault.Prose(2, 700_000));
        disk.Write(disk.LengthBytes - 5, "tail!"u8);
        ImageRef image;
        await using (var vault = await TestVault.CreateAsync(backend))
        {
            image = (await vault.BackUpAsync(disk)).Images[0].Image;
            await vault.AssertRestoresAsync(image, disk);
        }

        await using var again = await TestVault.OpenAsync(backend);
        await again.AssertRestoresAsync(again.Snapshots.Single().Images[0].Image, disk);
        Assert.True((await again.VerifyAsync(readData: true, null, CancellationToken.None)).IsHealthy);
    }

    [Fact]
    public async Task Every_generation_restores_and_reads_as_the_disk_was_then()
    {
        // A step: what, where in the disk (thousandths), how long; a generation: steps, and how the source maps itself.
        var step = Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 999], Gen.Int[1, 600_000]);
        var generation = Gen.Select(step.Array[0, 5], Gen.Bool, Gen.Bool, Gen.Bool);
        var history = Gen.Select(Gen.Long[0, 140L << 20], generation.Array[1, 4], Gen.Int);
        await Check.SampleAsync(history, async sample => await PlayAsync(sample.Item1, sample.Item2, sample.Item3), iter: 25, threads: 1);
    }

    [Fact]
    public async Task Nothing_unchanged_is_read_from_the_source()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(130L << 20);
        disk.Write(0, TestVault.Noise(1, 4 << 20));
        disk.Write(100L << 20, TestVault.Noise(2, 2 << 20));
        var first = await vault.BackUpCountedAsync(disk);
        disk.MarkClean();
        disk.TracksChanges = true;
        disk.Write((1 << 20) + 5000, TestVault.Noise(3, 100));
        var second = await vault.BackUpCountedAsync(disk, first.Image);
        Assert.Equal([((1 << 20) + 5000) / 4096], disk.PagesRead);
        Assert.Equal(4096, second.Statistics.BytesRead);
        Assert.Equal(SubSlot, second.Statistics.BytesNew);
        Assert.Equal(disk.LengthBytes, second.Statistics.BytesScanned);
        await vault.AssertRestoresAsync(second.Image, disk);
    }

    [Fact]
    public async Task Reading_and_comparing_stores_only_the_slots_that_changed()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(65L << 20) { KnowsHoles = false };
        disk.Write(0, TestVault.Noise(1, 8 << 20));
        var first = await vault.BackUpCountedAsync(disk);
        disk.Write((5 * Slot) + 17, TestVault.Noise(2, 10));
        var second = await vault.BackUpCountedAsync(disk, first.Image);
        Assert.Equal(disk.LengthBytes, second.Statistics.BytesRead);
        Assert.Equal(SubSlot, second.Statistics.BytesNew);
        Assert.Equal((8 << 20) - SubSlot, second.Statistics.BytesUnchanged);
        await vault.AssertRestoresAsync(second.Image, disk);
    }

    [Fact]
    public async Task The_same_bytes_elsewhere_are_stored_once()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(16 << 20);
        var content = TestVault.Noise(1, 4 * Slot);
        disk.Write(0, content);
        var first = await vault.BackUpCountedAsync(disk);
        var other = new SparseDisk(80L << 20);
        other.Write(40 * Slot, content);
        other.Write(70L << 20, content);
        var second = await vault.BackUpCountedAsync(other);
        Assert.Equal(content.Length, first.Statistics.BytesNew);
        Assert.Equal(0, second.Statistics.BytesNew);
        Assert.Equal(2 * content.Length, second.Statistics.BytesDeduplicated);
        await vault.AssertRestoresAsync(second.Image, other);
    }

    [Fact]
    public async Task An_unchanged_disk_has_the_parents_root_and_stores_nothing()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(20L << 30) { TracksChanges = false };
        disk.Write(9L << 30, TestVault.Noise(1, 1 << 20));
        var first = await vault.BackUpCountedAsync(disk);
        var read = await vault.BackUpCountedAsync(disk, first.Image);
        disk.MarkClean();
        disk.TracksChanges = true;
        var tracked = await vault.BackUpCountedAsync(disk, first.Image);
        Assert.Equal(first.Image, read.Image);
        Assert.Equal(first.Image, tracked.Image);
        Assert.Equal(0, read.Statistics.BytesStored + tracked.Statistics.BytesStored);
        Assert.Empty(disk.PagesRead);
    }

    [Theory]
    [InlineData(100L << 20, (100L << 20) + 1000)]
    [InlineData((100L << 20) + 1000, 100L << 20)]
    [InlineData((64L << 20) - 1, (64L << 20) + 1)]
    [InlineData((64L << 20) + 1, (64L << 20) - 1)]
    [InlineData(1000, 17L << 30)]
    [InlineData(17L << 30, 1000)]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public async Task A_disk_that_was_resized_restores(long before, long after)
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(before);
        disk.Write(0, TestVault.Noise(1, (int)Math.Min(before, 700_000)));
        if (before > 1 << 20)
            disk.Write(before - 300_000, TestVault.Noise(2, 300_000));
        var first = await vault.BackUpCountedAsync(disk);
        disk.MarkClean();
        var resized = disk.Resize(after);
        resized.TracksChanges = true;
        resized.Write(after / 2, TestVault.Noise(3, (int)Math.Min(100, after - (after / 2))));
        var second = await vault.BackUpCountedAsync(resized, first.Image);
        await vault.AssertRestoresAsync(second.Image, resized);
        await vault.AssertRestoresAsync(first.Image, disk);
    }

    [Fact]
    public async Task A_map_with_a_gap_is_refused_and_nothing_is_committed()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var failure = await Assert.ThrowsAsync<StoreException>(() => session.WriteImageAsync(new GappedSource(), null, null, CancellationToken.None));
        Assert.Equal(StoreErrorKind.InvalidRequest, failure.Kind);
        var refused = await Assert.ThrowsAsync<StoreException>(() => session.CommitAsync(TestVault.Draft(), CancellationToken.None));
        Assert.Equal(StoreErrorKind.InvalidRequest, refused.Kind);
        Assert.Empty(vault.Snapshots);
    }

    [Fact]
    public async Task An_error_of_the_source_comes_out_as_it_is()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        await Assert.ThrowsAsync<EndOfStreamException>(() => session.WriteImageAsync(new FailingSource(), null, null, CancellationToken.None));
    }

    [Fact]
    public async Task An_image_reference_survives_as_text()
    {
        await using var vault = await TestVault.CreateAsync(new MemoryBackend());
        var disk = new SparseDisk(3 << 20);
        disk.Write(0, TestVault.Noise(1, 1000));
        var image = (await vault.BackUpAsync(disk)).Images[0].Image;
        Assert.True(ImageRef.TryParse(image.ToString(), out var parsed));
        Assert.Equal(image, parsed);
        await vault.AssertRestoresAsync(parsed, disk);
        Assert.False(ImageRef.TryParse(image.ToString()[..^2], out _));
        Assert.False(ImageRef.TryParse("img1.!", out _));
        Assert.False(ImageRef.TryParse(null, out _));
        Assert.False(ImageRef.TryParse("img1." + new string('A', 10_000), out _));
    }

    private static async Task PlayAsync(long length, ((Step Kind, int Where, int Count)[] Steps, bool Tracks, bool Holes, bool HasParent)[] generations, int seed)
    {
        var backend = new MemoryBackend();
        var vault = await TestVault.CreateAsync(backend);
        var disk = new SparseDisk(length);
        var past = new List<(ImageRef Image, SparseDisk Disk)>();
        foreach (var (steps, tracks, holes, hasParent) in generations)
        {
            foreach (var (kind, where, count) in steps)
            {
                var offset = length * where / 1000;
                var fits = (int)Math.Min(count, length - offset);
                if (kind == Step.Punch)
                    disk.Punch(offset, fits);
                else if (kind == Step.CopyOfFirst)
                    disk.Write(offset, disk.Range(0, fits));
                else
                    disk.Write(offset, kind == Step.Noise ? TestVault.Noise(seed++, fits) : TestVault.Prose(seed++, fits));
            }

            var parent = hasParent && past.Count > 0 ? past[^1].Image : (ImageRef?)null;
            disk.TracksChanges = tracks && parent is not null;
            disk.KnowsHoles = holes;
            past.Add(((await vault.BackUpAsync(disk, parent)).Images[0].Image, disk.Resize(length)));
            disk.MarkClean();
        }

        await vault.DisposeAsync();
        await using var again = await TestVault.OpenAsync(backend);
        var random = new Random(seed);
        foreach (var (image, then) in past)
        {
            await again.AssertRestoresAsync(image, then);
            await using var reader = await again.OpenImageAsync(image, CancellationToken.None);
            for (var i = 0; i < 20 && length > 0; i++)
            {
                var offset = random.NextInt64(length);
                var buffer = new byte[Math.Min(random.Next(1, 600_000), length - offset)];
                await reader.ReadAsync(offset, buffer, CancellationToken.None);
                Assert.True(buffer.AsSpan().SequenceEqual(then.Range(offset, buffer.Length)));
            }
        }

        var report = await again.VerifyAsync(readData: true, null, CancellationToken.None);
        Assert.True(report.IsHealthy, string.Join('\n', report.Problems));
    }

    private sealed class GappedSource : IImageSource
    {
        public long LengthBytes => 1000;

        public async IAsyncEnumerable<ImageExtent> MapAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return new(0, 10, ExtentKind.Data);
            yield return new(11, 989, ExtentKind.Data);
        }

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => default;
    }

    private sealed class FailingSource : IImageSource
    {
        public long LengthBytes => 10 << 20;

        public async IAsyncEnumerable<ImageExtent> MapAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            yield return new(0, LengthBytes, ExtentKind.Data);
        }

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
            offsetBytes > 0 ? throw new EndOfStreamException() : default;
    }
}
