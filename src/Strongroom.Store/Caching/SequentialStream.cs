namespace Strongroom.Store.Caching;

/// <summary>Reads that follow one another, a little out of order perhaps, as an initiator with many requests under way sends them. Not for concurrent use.</summary>
internal sealed class SequentialStream
{
    /// <summary>How far requests that are under way together lie apart.</summary>
    private const long SlackBytes = 1 << 20;
    private const long LeastBytes = 128 << 10;
    private const long FirstWindowBytes = 512 << 10;
    private long start;
    private long end;
    private long bytes;
    private long reads;
    private long windowBytes;
    private long growsAt;

    /// <summary>When it was last met.</summary>
    public long LastUse { get; private set; } = -1;

    /// <summary>What lies before this was fetched, or is on its way.</summary>
    public long FetchedTo { get; set; }

    /// <summary>True for a read that goes on where the stream is.</summary>
    public bool IsNear(long offset) => LastUse >= 0 && Math.Abs(offset - end) <= SlackBytes;

    public void Begin(long offset, long length, long now)
    {
        (start, end, bytes, reads, LastUse) = (offset, offset + length, length, 1, now);
        (FetchedTo, windowBytes, growsAt) = (0, FirstWindowBytes, 0);
    }

    public void Continue(long offset, long length, long now)
    {
        start = Math.Min(start, offset);
        end = Math.Max(end, offset + length);
        bytes += length;
        reads++;
        LastUse = now;
    }

    /// <summary>Up to where to fetch; twice as far each time that so much was read. 0 as long as they are few, or do not cover most of what they passed.</summary>
    public long FetchTo(long greatestWindowBytes)
    {
        if (reads < 2 || end - start < LeastBytes || bytes * 2 < end - start)
            return 0;
        if (end >= growsAt && growsAt > 0)
            windowBytes = Math.Min(windowBytes * 2, greatestWindowBytes);
        if (end >= growsAt)
            growsAt = end + windowBytes;
        FetchedTo = Math.Max(FetchedTo, end);
        return end + Math.Min(windowBytes, greatestWindowBytes);
    }
}
