using System.Buffers;
using System.Threading.Channels;
using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>Restores an image window by window: slots sorted by place, neighbours read together, opened in parallel.</summary>
/// <remarks>Memory: a window of at most 16,384 targets (about 1.3 MB; a split slot is up to four) + workers × (the longest run, 1 or 4 MiB, + 0.75 MiB).</remarks>
internal sealed class ImageRestore(ManifestReader tree, ImageRef image, IImageSink sink, int workers, IProgress<long>? bytesDone) : IDisposable
{
    private const int WindowTargets = 64 * ImageGeometry.FanOut;
    private readonly ReadPattern reads = tree.Packs.Backend.Reads;
    private readonly SemaphoreSlim writing = new(1, 1);
    private long written;
    private long read;
    private long requests;
    private long settled;
    private int resolved;
    private long opened;
    private WindowProgress progress = new(0, 0, 0, 0);

    public async Task<RestoreStatistics> RunAsync(CancellationToken cancellationToken)
    {
        var window = new List<Target>();
        await foreach (var (firstSlot, leaf) in tree.ReadLeavesAsync(image, cancellationToken))
        {
            for (var i = 0; i < ImageGeometry.FanOut; i++)
                AddTargets(window, leaf, i, firstSlot + i);

            await ResolveAsync(window, cancellationToken);
            if (window.Count > WindowTargets - (ImageGeometry.FanOut * NodeFormat.SubSlotCount))
                await RestoreWindowAsync(window, (firstSlot + ImageGeometry.FanOut) * ImageGeometry.SlotLengthBytes, cancellationToken);
        }

        await RestoreWindowAsync(window, image.LengthBytes, cancellationToken);
        bytesDone?.Report(image.LengthBytes);
        return new(written, image.LengthBytes - written, read, requests);
    }

    public void Dispose() => writing.Dispose();

    private void AddTargets(List<Target> window, byte[] leaf, int index, long slotIndex)
    {
        var slot = NodeFormat.SlotOf(leaf, index);
        var start = slotIndex * ImageGeometry.SlotLengthBytes;
        if (slot.IsHole)
            return;
        if (slot.Kind != SlotKind.Split)
        {
            PackReader.RequireWhole(slot);
            window.Add(new(slot, Target.Whole, start, ImageGeometry.RawLengthOf(slotIndex, image.LengthBytes)));
            return;
        }

        for (var sub = 0; sub < NodeFormat.SubSlotCount; sub++)
        {
            var piece = NodeFormat.SubSlotOf(leaf, slot, sub);
            var rawLength = piece.Part is null ? ImageGeometry.SubSlotLengthBytes : ImageGeometry.SlotLengthBytes;
            if (!piece.IsHole)
                window.Add(new(piece.Chunk, piece.Part ?? Target.Whole, start + (sub * ImageGeometry.SubSlotLengthBytes), rawLength));
        }
    }

    /// <summary>Chunks of packs that were compacted are read where they lie now.</summary>
    private async ValueTask ResolveAsync(List<Target> window, CancellationToken cancellationToken)
    {
        for (; resolved < window.Count; resolved++)
            window[resolved] = window[resolved] with { Slot = await tree.Packs.ResolveAsync(window[resolved].Slot, cancellationToken) };
    }

    private async Task RestoreWindowAsync(List<Target> window, long endBytes, CancellationToken cancellationToken)
    {
        var windowEnd = Math.Max(settled, Math.Min(endBytes, image.LengthBytes));
        progress = new(settled, windowEnd - settled, window.Sum(target => (long)target.LengthBytes), opened);

        // Chunks that several slots share lie next to each other in this order, and are opened once.
        window.Sort((a, b) => a.Slot.PackSeq != b.Slot.PackSeq
            ? a.Slot.PackSeq.CompareTo(b.Slot.PackSeq)
            : a.Slot.OffsetBytes != b.Slot.OffsetBytes ? a.Slot.OffsetBytes.CompareTo(b.Slot.OffsetBytes) : a.Part.CompareTo(b.Part));
        var next = 0;
        var runs = Channel.CreateBounded<(int Start, int End)>(workers);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = Enumerable.Range(0, workers).Select(_ => Workers.StartAsync(() => RestoreRunsAsync(window, runs.Reader, stop))).ToArray();
        try
        {
            while (next < window.Count)
            {
                var end = EndOfRun(window, next);
                await runs.Writer.WriteAsync((next, end), stop.Token);
                next = end;
            }
        }
        catch (OperationCanceledException)
        {
            // A worker failed, and its exception comes below; or the caller gave up, and then the workers end before this returns:
            // the sink and the packs are the caller's again.
        }

        runs.Writer.Complete();
        await Task.WhenAll(tasks);
        cancellationToken.ThrowIfCancellationRequested();
        window.Clear();
        resolved = 0;
        settled = windowEnd;
        bytesDone?.Report(settled);
    }

    private int EndOfRun(List<Target> window, int start)
    {
        var first = window[start].Slot;
        var endBytes = first.OffsetBytes + (long)first.StoredLengthBytes;
        var end = start + 1;
        while (end < window.Count)
        {
            var slot = window[end].Slot;
            var slotEnd = slot.OffsetBytes + (long)slot.StoredLengthBytes;
            if (slot.PackSeq != first.PackSeq || slot.OffsetBytes > endBytes + reads.WidestGapBytes || slotEnd - first.OffsetBytes > reads.LongestRunBytes)
                break;
            endBytes = Math.Max(endBytes, slotEnd);
            end++;
        }

        return end;
    }

    private async Task RestoreRunsAsync(List<Target> window, ChannelReader<(int Start, int End)> runs, CancellationTokenSource stop)
    {
        var frames = ArrayPool<byte>.Shared.Rent(reads.LongestRunBytes);
        var raw = ArrayPool<byte>.Shared.Rent(ImageGeometry.SlotLengthBytes);
        var codec = tree.Packs.Codecs.Rent();
        try
        {
            await foreach (var (start, end) in runs.ReadAllAsync(stop.Token))
                await RestoreRunAsync(window, start, end, frames, raw, codec, stop.Token);
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
        finally
        {
            tree.Packs.Codecs.Return(codec);
            ArrayPool<byte>.Shared.Return(raw);
            ArrayPool<byte>.Shared.Return(frames);
        }
    }

    private async Task RestoreRunAsync(
        List<Target> window, int start, int end, byte[] frames, byte[] raw, FrameCodec codec, CancellationToken cancellationToken)
    {
        var first = window[start].Slot;
        var runEnd = 0L;
        for (var i = start; i < end; i++)
            runEnd = Math.Max(runEnd, window[i].Slot.OffsetBytes + (long)window[i].Slot.StoredLengthBytes);
        var length = (int)Math.Min(runEnd - first.OffsetBytes, reads.LongestRunBytes);
        PackKey key;
        int found;
        try
        {
            key = await tree.Packs.GetKeyAsync(PackContent.Data, first.PackSeq, cancellationToken);
            found = await tree.Packs.Backend.ReadAsync(
                PackFormat.NameOf(PackContent.Data, first.PackSeq), first.OffsetBytes, frames.AsMemory(0, length), cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            await RestoreEachAsync(window, start, end, raw, cancellationToken);
            return;
        }

        Interlocked.Add(ref read, found);
        Interlocked.Increment(ref requests);
        for (var i = start; i < end; i++)
        {
            var target = window[i];
            if (i == start || window[i - 1].Slot != target.Slot || window[i - 1].Part != target.Part)
            {
                var within = (int)(target.Slot.OffsetBytes - first.OffsetBytes);
                var stored = Math.Min(target.Slot.StoredLengthBytes, Math.Max(0, found - within));
                Open(key, codec, target, frames.AsSpan(Math.Min(within, found), stored), raw);
            }

            await WriteAsync(target.OffsetBytes, raw.AsMemory(0, target.LengthBytes), cancellationToken);
        }

        bytesDone?.Report(progress.At(Volatile.Read(ref opened)));
    }

    /// <summary>Chunk by chunk: the pack was compacted since the window was laid out.</summary>
    private async Task RestoreEachAsync(List<Target> window, int start, int end, byte[] raw, CancellationToken cancellationToken)
    {
        for (var i = start; i < end; i++)
        {
            var target = window[i];
            var chunk = raw.AsMemory(0, target.LengthBytes);
            if (target.Part == Target.Whole)
                await tree.Packs.ReadChunkAsync(PackContent.Data, target.Slot, chunk, cancellationToken);
            else
                await tree.Packs.ReadPartsAsync(target.Slot, target.RawLengthBytes, target.Part, chunk, cancellationToken);
            Interlocked.Add(ref read, target.Slot.StoredLengthBytes);
            Interlocked.Increment(ref requests);
            await WriteAsync(target.OffsetBytes, chunk, cancellationToken);
        }

        bytesDone?.Report(progress.At(Volatile.Read(ref opened)));
    }

    private void Open(PackKey key, FrameCodec codec, Target target, ReadOnlySpan<byte> frame, byte[] raw)
    {
        if (target.Part == Target.Whole)
            tree.Packs.Open(key, target.Slot, codec, frame, raw.AsSpan(0, target.LengthBytes));
        else
            tree.Packs.OpenParts(key, target.Slot, codec, frame, target.RawLengthBytes, target.Part, raw.AsSpan(0, target.LengthBytes));
    }

    /// <summary>Gives bytes to the sink, but for 64 KiB of zeros within a chunk, which stay a hole.</summary>
    private async ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        while (raw.Length > 0)
        {
            var zeros = 0;
            while (zeros < raw.Length && IsZero(raw, zeros))
                zeros += Math.Min(ImageGeometry.SubSlotLengthBytes, raw.Length - zeros);
            var end = zeros;
            while (end < raw.Length && !IsZero(raw, end))
                end += Math.Min(ImageGeometry.SubSlotLengthBytes, raw.Length - end);
            if (end > zeros)
                await WriteAloneAsync(offsetBytes + zeros, raw[zeros..end], cancellationToken);
            Interlocked.Add(ref written, end - zeros);
            Interlocked.Add(ref opened, end);
            offsetBytes += end;
            raw = raw[end..];
        }
    }

    /// <summary>One write at a time: the kernel lets only one into a file, and the others would spin for it on cores that the next chunks need.</summary>
    private async ValueTask WriteAloneAsync(long offsetBytes, ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            await sink.WriteAsync(offsetBytes, raw, cancellationToken);
        }
        finally
        {
            writing.Release();
        }
    }

    private static bool IsZero(ReadOnlyMemory<byte> raw, int start) =>
        raw.Span.Slice(start, Math.Min(ImageGeometry.SubSlotLengthBytes, raw.Length - start)).IndexOfAnyExcept((byte)0) < 0;

    /// <summary>Holes are settled in proportion to the data of their window, so that the sum rises evenly to the image's length.</summary>
    private sealed record WindowProgress(long StartBytes, long SpanBytes, long DataBytes, long OpenedBefore)
    {
        public long At(long openedBytes) =>
            StartBytes + (long)(SpanBytes * Math.Min(1, (openedBytes - OpenedBefore) / (double)Math.Max(1, DataBytes)));
    }

    /// <summary>Where a chunk, or one part of it, goes.</summary>
    private readonly record struct Target(Slot Slot, int Part, long OffsetBytes, int RawLengthBytes)
    {
        public const int Whole = -1;

        /// <summary>How much is written.</summary>
        public int LengthBytes => Part == Whole ? RawLengthBytes : FrameFormat.RawLengthOf(Part, RawLengthBytes);
    }
}
