using System.Runtime.CompilerServices;

namespace Strongroom.Store.Tests.Fakes;

/// <summary>A disk in memory: the model that a restore is compared with, and a source that knows holes and changes.</summary>
internal sealed class SparseDisk(long lengthBytes) : IImageSource, IImageSink
{
    private const int PageBytes = 4096;
    private readonly Dictionary<long, byte[]> pages = [];
    private readonly SortedSet<long> dirty = [];
    private readonly Lock gate = new();

    public long LengthBytes => lengthBytes;

    /// <summary>Offsets of pages that were asked for since the last reset.</summary>
    public HashSet<long> PagesRead { get; } = [];

    /// <summary>How the map describes pages that were not written since <see cref="MarkClean"/>.</summary>
    public bool TracksChanges { get; set; }

    public string? ResumeToken { get; set; }

    /// <summary>False: the map says that everything is data.</summary>
    public bool KnowsHoles { get; set; } = true;

    public void Write(long offsetBytes, ReadOnlySpan<byte> data)
    {
        lock (gate)
        {
            while (data.Length > 0)
            {
                var page = offsetBytes / PageBytes;
                var within = (int)(offsetBytes % PageBytes);
                var count = Math.Min(data.Length, PageBytes - within);
                if (!pages.TryGetValue(page, out var content))
                    pages[page] = content = new byte[PageBytes];
                data[..count].CopyTo(content.AsSpan(within));
                dirty.Add(page);
                data = data[count..];
                offsetBytes += count;
            }
        }
    }

    /// <summary>Makes whole pages holes again.</summary>
    public void Punch(long offsetBytes, long punchedBytes)
    {
        for (var page = (offsetBytes + PageBytes - 1) / PageBytes; (page + 1) * PageBytes <= offsetBytes + punchedBytes; page++)
        {
            pages.Remove(page);
            dirty.Add(page);
        }
    }

    public void MarkClean()
    {
        dirty.Clear();
        PagesRead.Clear();
    }

    public SparseDisk Resize(long newLengthBytes)
    {
        var copy = new SparseDisk(newLengthBytes) { TracksChanges = TracksChanges, KnowsHoles = KnowsHoles };
        foreach (var (page, content) in pages)
        {
            var keep = (int)Math.Min(PageBytes, newLengthBytes - (page * PageBytes));
            if (keep <= 0)
                continue;
            var kept = new byte[PageBytes];
            content.AsSpan(0, keep).CopyTo(kept);
            copy.pages[page] = kept;
        }

        copy.dirty.UnionWith(dirty);
        return copy;
    }

    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        var position = 0L;
        foreach (var page in (TracksChanges ? dirty : (IEnumerable<long>)pages.Keys.Order()).ToList())
        {
            var start = Math.Min(page * PageBytes, lengthBytes);
            var end = Math.Min(start + PageBytes, lengthBytes);
            if (start > position)
                yield return new(position, start - position, Rest());
            if (end > start)
                yield return new(start, end - start, TracksChanges && KnowsHoles && !pages.ContainsKey(page) ? ExtentKind.Zero : ExtentKind.Data);
            position = Math.Max(position, end);
        }

        if (position < lengthBytes)
            yield return new(position, lengthBytes - position, Rest());
    }

    /// <summary>From this offset on reads fail, as when the network goes.</summary>
    public long FailsFrom { get; set; } = long.MaxValue;

    /// <summary>What such a read waits for.</summary>
    public Func<Task> BeforeFailing { get; set; } = () => Task.CompletedTask;

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (offsetBytes >= FailsFrom)
            return new(FailAsync());
        Fill(offsetBytes, buffer.Span);
        return default;
    }

    private async Task FailAsync()
    {
        await BeforeFailing();
        throw new IOException("The source is gone.");
    }

    private void Fill(long offsetBytes, Span<byte> span)
    {
        lock (gate)
        {
            while (span.Length > 0)
            {
                var page = offsetBytes / PageBytes;
                var within = (int)(offsetBytes % PageBytes);
                var count = Math.Min(span.Length, PageBytes - within);
                PagesRead.Add(page);
                if (pages.TryGetValue(page, out var content))
                    content.AsSpan(within, count).CopyTo(span);
                else
                    span[..count].Clear();
                span = span[count..];
                offsetBytes += count;
            }
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Assert.True(offsetBytes >= 0 && offsetBytes + data.Length <= lengthBytes);
        Assert.True(data.Span.IndexOfAnyExcept((byte)0) >= 0, "A sink is never given zeros.");
        Write(offsetBytes, data.Span);
        return default;
    }

    public byte[] Range(long offsetBytes, int count)
    {
        var buffer = new byte[count];
        Fill(offsetBytes, buffer);
        return buffer;
    }

    /// <summary>Fails unless both disks hold the same bytes.</summary>
    public void AssertSame(SparseDisk other)
    {
        Assert.Equal(lengthBytes, other.LengthBytes);
        var empty = new byte[PageBytes];
        foreach (var page in pages.Keys.Union(other.pages.Keys))
        {
            var mine = pages.GetValueOrDefault(page, empty);
            var theirs = other.pages.GetValueOrDefault(page, empty);
            Assert.True(mine.AsSpan().SequenceEqual(theirs), $"The disks differ at byte {page * PageBytes}.");
        }
    }

    private ExtentKind Rest() => TracksChanges ? ExtentKind.Unchanged : KnowsHoles ? ExtentKind.Zero : ExtentKind.Data;
}
