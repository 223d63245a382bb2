using Strongroom.Store.Images;

namespace Strongroom.Store.Caching;

/// <summary>Notices reads of one image that follow one another, several such streams at a time, and fetches the slots that come next. Thread-safe.</summary>
/// <param name="cache">Takes what is fetched; its budget is all readers'.</param>
/// <param name="lengthBytes">The image's length.</param>
/// <param name="fetch">Brings a slot into the cache.</param>
internal sealed class ReadAhead(ReadCache cache, long lengthBytes, Func<long, CancellationToken, Task> fetch) : IAsyncDisposable
{
    private const int Streams = 8;
    private const long GreatestWindowBytes = 8 << 20;
    private readonly Lock gate = new();
    private readonly SequentialStream[] streams = [.. Enumerable.Range(0, Streams).Select(_ => new SequentialStream())];
    private readonly List<Task> fetching = [];
    private readonly CancellationTokenSource stop = new();
    private readonly long greatestWindowBytes = Math.Min(GreatestWindowBytes, cache.GreatestReadAheadBytes);
    private long reads;
    private bool isClosed;

    /// <summary>Slots that are being fetched.</summary>
    public int UnderWay
    {
        get
        {
            lock (gate)
                return fetching.Count(task => !task.IsCompleted);
        }
    }

    /// <summary>Told of each read before it is done.</summary>
    public void Note(long offsetBytes, long readBytes)
    {
        lock (gate)
        {
            if (isClosed)
                return;
            var stream = Follow(offsetBytes, readBytes);
            var fetchTo = Math.Min(stream.FetchTo(greatestWindowBytes), lengthBytes);
            while (stream.FetchedTo < fetchTo && cache.TryBeginReadAhead())
            {
                var slotIndex = stream.FetchedTo / ImageGeometry.SlotLengthBytes;
                stream.FetchedTo = (slotIndex + 1) * ImageGeometry.SlotLengthBytes;
                fetching.RemoveAll(static task => task.IsCompleted);
                fetching.Add(Workers.StartAsync(() => FetchAsync(slotIndex)));
            }
        }
    }

    /// <summary>Ends what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] last;
        lock (gate)
        {
            if (isClosed)
                return;
            isClosed = true;
            last = [.. fetching];
        }

        await stop.CancelAsync();
        await Task.WhenAll(last);
        stop.Dispose();
    }

    private SequentialStream Follow(long offset, long length)
    {
        var oldest = streams[0];
        foreach (var stream in streams)
        {
            if (stream.IsNear(offset))
            {
                stream.Continue(offset, length, ++reads);
                return stream;
            }

            if (stream.LastUse < oldest.LastUse)
                oldest = stream;
        }

        oldest.Begin(offset, length, ++reads);
        return oldest;
    }

    private async Task FetchAsync(long slotIndex)
    {
        try
        {
            await fetch(slotIndex, stop.Token);
        }
        catch (Exception failure) when (failure is StoreException or OperationCanceledException)
        {
            // Nobody has asked for it yet. Who does is told.
        }
        finally
        {
            cache.EndReadAhead();
        }
    }
}
