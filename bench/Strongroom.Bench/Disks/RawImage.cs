using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks;
using Strongroom.Blocks.Raw;
using Strongroom.Store;

namespace Strongroom.Bench.Disks;

/// <summary>A raw disk image as source (holes known) and as sink (sparse).</summary>
internal sealed class RawImage : IImageSource, IImageSink, IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly string path;

    public RawImage(string path)
    {
        this.path = path;
        handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read);
        LengthBytes = RandomAccess.GetLength(handle);
    }

    public RawImage(string path, long lengthBytes)
    {
        this.path = path;
        handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.SetLength(handle, lengthBytes);
        LengthBytes = lengthBytes;
    }

    public long LengthBytes { get; }

    /// <summary>Compares two disks byte for byte. What is a hole in both is not read.</summary>
    public static async Task<bool> AreSameAsync(string left, string right, CancellationToken cancellationToken)
    {
        using var a = new RawImage(left);
        using var b = new RawImage(right);
        if (a.LengthBytes != b.LengthBytes)
            return false;
        var one = new byte[1 << 20];
        var two = new byte[1 << 20];
        foreach (var (start, end) in await ListDataAsync([a, b], cancellationToken))
        {
            for (var offset = start; offset < end; offset += one.Length)
            {
                var count = (int)Math.Min(one.Length, end - offset);
                await a.ReadAsync(offset, one.AsMemory(0, count), cancellationToken);
                await b.ReadAsync(offset, two.AsMemory(0, count), cancellationToken);
                if (!one.AsSpan(0, count).SequenceEqual(two.AsSpan(0, count)))
                    return false;
            }
        }

        return true;
    }

    /// <summary>Bytes of the file that are not holes.</summary>
    public async Task<long> CountDataAsync(CancellationToken cancellationToken) =>
        (await ListDataAsync([this], cancellationToken)).Sum(run => run.End - run.Start);

    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var blocks = new RawBlockSource(DiskFile.OpenRegular(path));
        await foreach (var extent in blocks.MapAsync(cancellationToken))
            yield return new(extent.OffsetBytes, extent.LengthBytes, extent.Kind == BlockKind.Zero ? ExtentKind.Zero : ExtentKind.Data);
    }

    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        for (var total = 0; total < buffer.Length;)
        {
            var read = await RandomAccess.ReadAsync(handle, buffer[total..], offsetBytes + total, cancellationToken);
            if (read == 0)
                throw new EndOfStreamException($"{path} ends early.");
            total += read;
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        RandomAccess.WriteAsync(handle, data, offsetBytes, cancellationToken);

    public void Dispose() => handle.Dispose();

    /// <summary>Runs that are data in any of the disks, ascending, without overlap.</summary>
    private static async Task<List<(long Start, long End)>> ListDataAsync(IReadOnlyList<RawImage> disks, CancellationToken cancellationToken)
    {
        var found = new List<ImageExtent>();
        foreach (var disk in disks)
        {
            await foreach (var extent in disk.MapAsync(cancellationToken))
            {
                if (extent.Kind == ExtentKind.Data)
                    found.Add(extent);
            }
        }

        var runs = new List<(long Start, long End)>();
        foreach (var extent in found.OrderBy(extent => extent.OffsetBytes))
        {
            var end = Math.Min(extent.OffsetBytes + extent.LengthBytes, disks[0].LengthBytes);
            if (runs.Count > 0 && extent.OffsetBytes <= runs[^1].End)
                runs[^1] = (runs[^1].Start, Math.Max(runs[^1].End, end));
            else
                runs.Add((extent.OffsetBytes, end));
        }

        return runs;
    }
}
