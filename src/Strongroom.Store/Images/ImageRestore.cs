using System.Buffers;
using System.Threading.Channels;
using Strongroom.Store.Packs;

namespace Strongroom.Store.Images;

/// <summary>Restores an image window by window: slots sorted by place, neighbours read together, opened in parallel.</summary>
/// <remarks>Memory: a window of at most 64 leaves (16,384 slots, about 1.3 MB) + workers × (1 MiB + 0.75 MiB).</remarks>
internal sealed class ImageRestore(ImageTree tree, ImageRef image, IImageSink sink, int workers, IProgress<long>? bytesDone)
{
    private const int WindowSlots = 64 * ImageGeometry.FanOut;
    private const int LongestReadBytes = 1 << 20;
    private const int WidestGapBytes = 32 * 1024;
    private long written;
    private long read;
    private long reads;
    private long settled;
    private WindowProgress progress = new(0, 0, 0, 0);

    public async Task<RestoreStatistics> RunAsync(CancellationToken cancellationToken)
    {
        var window = new List<Target>();
        await foreach (var (firstSlot, leaf) in tree.ReadLeavesAsync(image, cancellationToken))
        {
            for (var i = 0; i < ImageGeometry.FanOut; i++)
            {
                var slot = ImageTree.SlotOf(leaf, i);
                if (slot.IsHole)
                    continue;
                PackReader.RequireWhole(slot);
                window.Add(new(slot, firstSlot + i));
            }

            if (window.Count > WindowSlots - ImageGeometry.FanOut)
                await RestoreWindowAsync(window, (firstSlot + ImageGeometry.FanOut) * ImageGeometry.SlotLengthBytes, cancellationToken);
        }

        await RestoreWindowAsync(window, image.LengthBytes, cancellationToken);
        bytesDone?.Report(image.LengthBytes);
        return new(written, image.LengthBytes - written, read, reads);
    }

    private async Task RestoreWindowAsync(List<Target> window, long endBytes, CancellationToken cancellationToken)
    {
        var windowEnd = Math.Max(settled, Math.Min(endBytes, image.LengthBytes));
        progress = new(settled, windowEnd - settled, window.Count, written);

        // Chunks that several slots share lie next to each other in this order, and are opened once.
        window.Sort((a, b) => a.Slot.PackSeq != b.Slot.PackSeq
            ? a.Slot.PackSeq.CompareTo(b.Slot.PackSeq)
            : a.Slot.OffsetBytes.CompareTo(b.Slot.OffsetBytes));
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
        settled = windowEnd;
        bytesDone?.Report(settled);
    }

    private static int EndOfRun(List<Target> window, int start)
    {
        var first = window[start].Slot;
        var endBytes = first.OffsetBytes + (long)first.StoredLengthBytes;
        var end = start + 1;
        while (end < window.Count)
        {
            var slot = window[end].Slot;
            var slotEnd = slot.OffsetBytes + (long)slot.StoredLengthBytes;
            if (slot.PackSeq != first.PackSeq || slot.OffsetBytes > endBytes + WidestGapBytes || slotEnd - first.OffsetBytes > LongestReadBytes)
                break;
            endBytes = Math.Max(endBytes, slotEnd);
            end++;
        }

        return end;
    }

    private async Task RestoreRunsAsync(List<Target> window, ChannelReader<(int Start, int End)> runs, CancellationTokenSource stop)
    {
        var frames = ArrayPool<byte>.Shared.Rent(LongestReadBytes);
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
        var length = (int)Math.Min(runEnd - first.OffsetBytes, LongestReadBytes);
        var key = await tree.Packs.GetKeyAsync(PackContent.Data, first.PackSeq, cancellationToken);
        var found = await tree.Packs.Backend.ReadAsync(
            PackFormat.NameOf(PackContent.Data, first.PackSeq), first.OffsetBytes, frames.AsMemory(0, length), cancellationToken);
        Interlocked.Add(ref read, found);
        Interlocked.Increment(ref reads);
        for (var i = start; i < end; i++)
        {
            var (slot, slotIndex) = window[i];
            var rawLength = ImageGeometry.RawLengthOf(slotIndex, image.LengthBytes);
            if (i == start || window[i - 1].Slot != slot)
            {
                var within = (int)(slot.OffsetBytes - first.OffsetBytes);
                var stored = Math.Min(slot.StoredLengthBytes, Math.Max(0, found - within));
                var frame = frames.AsSpan(Math.Min(within, found), stored);
                codec.Open(key, tree.Packs.Ring.VaultId, tree.Packs.Ring.IdKey, slot, frame, raw.AsSpan(0, rawLength));
            }

            await sink.WriteAsync(slotIndex * ImageGeometry.SlotLengthBytes, raw.AsMemory(0, rawLength), cancellationToken);
            Interlocked.Add(ref written, rawLength);
        }

        bytesDone?.Report(progress.At(Volatile.Read(ref written)));
    }

    /// <summary>Holes are settled in proportion to the data of their window, so that the sum rises evenly to the image's length.</summary>
    private sealed record WindowProgress(long StartBytes, long SpanBytes, int Slots, long WrittenBefore)
    {
        public long At(long writtenBytes)
        {
            var share = (writtenBytes - WrittenBefore) / (double)((long)Slots * ImageGeometry.SlotLengthBytes);
            return StartBytes + (long)(SpanBytes * Math.Min(1, share));
        }
    }

    private readonly record struct Target(Slot Slot, long SlotIndex);
}
