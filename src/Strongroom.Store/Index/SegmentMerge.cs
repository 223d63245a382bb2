using System.Runtime.CompilerServices;

namespace Strongroom.Store.Index;

/// <summary>Merges segments into one order, a page of each in memory.</summary>
internal static class SegmentMerge
{
    /// <summary>Every id once, of packs that are usable still.</summary>
    public static async IAsyncEnumerable<IndexRecord> MergeAsync(
        IReadOnlyList<SegmentReader> segments, Func<uint, bool> isUsable, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var sources = segments.Select(segment => segment.ReadAllAsync(cancellationToken).GetAsyncEnumerator(cancellationToken)).ToList();
        try
        {
            var heads = new PriorityQueue<IAsyncEnumerator<IndexRecord>, Packs.ChunkId>();
            foreach (var source in sources)
            {
                if (await source.MoveNextAsync())
                    heads.Enqueue(source, source.Current.Id);
            }

            IndexRecord? previous = null;
            while (heads.TryDequeue(out var source, out _))
            {
                var record = source.Current;
                if (previous?.Id != record.Id && isUsable(record.PackSeq))
                {
                    yield return record;
                    previous = record;
                }

                if (await source.MoveNextAsync())
                    heads.Enqueue(source, source.Current.Id);
            }
        }
        finally
        {
            foreach (var source in sources)
                await source.DisposeAsync();
        }
    }
}
