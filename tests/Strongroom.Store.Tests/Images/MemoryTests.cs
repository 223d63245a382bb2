using System.Runtime.CompilerServices;
using Strongroom.Store.Tests.Fakes;

namespace Strongroom.Store.Tests.Images;

/// <summary>Alone in the process while they run: they look at its heap.</summary>
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class AloneCollection;

[Collection(nameof(MemoryTests))]
public sealed class MemoryTests : IDisposable
{
    private const long Megabyte = 1 << 20;
    private readonly TemporaryFolder folder = new();

    [Fact]
    public async Task Memory_does_not_grow_with_the_disk()
    {
        using var backend = new LocalBackend(folder["vault"]);
        await using var vault = await TestVault.CreateAsync(backend, new VaultStoreOptions());
        var disk = new GeneratedDisk(20L << 30, 160 * Megabyte);
        var watch = new HeapWatch();
        ImageRef image;
        await using (var session = await vault.OpenSessionAsync(CancellationToken.None))
        {
            image = await session.WriteImageAsync(disk, null, new Reports(_ => watch.Look()), CancellationToken.None);
            await session.CommitAsync(TestVault.Draft(image), CancellationToken.None);
        }

        var statistics = await vault.RestoreAsync(image, new CheckingSink(disk, watch), null, CancellationToken.None);
        Assert.Equal(160 * Megabyte, statistics.BytesWritten);
        Assert.InRange(watch.PeakGrowthBytes, 1, 48 * Megabyte);
    }

    public void Dispose() => folder.Dispose();

    private sealed class HeapWatch
    {
        private readonly long before = GC.GetTotalMemory(forceFullCollection: true);
        private long peak;

        public long PeakGrowthBytes => peak - before;

        public void Look() => InterlockedMax(GC.GetTotalMemory(forceFullCollection: false));

        private void InterlockedMax(long seen)
        {
            for (var old = Volatile.Read(ref peak); seen > old;)
            {
                var found = Interlocked.CompareExchange(ref peak, seen, old);
                if (found == old)
                    return;
                old = found;
            }
        }
    }

    /// <summary>Noise at even distances, holes between; nothing is kept.</summary>
    private sealed class GeneratedDisk(long lengthBytes, long dataBytes) : IImageSource
    {
        private readonly long distance = lengthBytes / (dataBytes / Megabyte) / Megabyte * Megabyte;

        public long LengthBytes => lengthBytes;

        public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Yield();
            for (var i = 0L; i < dataBytes / Megabyte; i++)
            {
                yield return new(i * distance, Megabyte, ExtentKind.Data);
                yield return new((i * distance) + Megabyte, distance - Megabyte, ExtentKind.Zero);
            }

            var end = dataBytes / Megabyte * distance;
            if (end < lengthBytes)
                yield return new(end, lengthBytes - end, ExtentKind.Zero);
        }

        public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
        {
            Fill(offsetBytes, buffer.Span);
            return default;
        }

        public static void Fill(long offsetBytes, Span<byte> span)
        {
            var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(span);
            for (var i = 0; i < words.Length; i++)
            {
                var word = ((ulong)offsetBytes + ((ulong)i * 8)) * 0x9E3779B97F4A7C15;
                words[i] = (word ^ (word >> 29)) * 0xBF58476D1CE4E5B9;
            }
        }
    }

    private sealed class CheckingSink(GeneratedDisk disk, HeapWatch watch) : IImageSink
    {
        public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            Span<byte> expected = stackalloc byte[4096];
            for (var at = 0; at < data.Length; at += expected.Length)
            {
                GeneratedDisk.Fill(offsetBytes + at, expected);
                Assert.True(expected.SequenceEqual(data.Span.Slice(at, expected.Length)), $"The disk of {disk.LengthBytes} bytes differs at {offsetBytes + at}.");
            }

            watch.Look();
            return default;
        }
    }

    private sealed class Reports(Action<SessionProgress> onReport) : IProgress<SessionProgress>
    {
        public void Report(SessionProgress value) => onReport(value);
    }
}
