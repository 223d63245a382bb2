using System.Runtime.CompilerServices;
using Strongroom.Store.Manifests;

namespace Strongroom.Store.Streams;

/// <summary>Finds what a stream is made of.</summary>
internal static class StreamRecords
{
    /// <summary>The chunks (or pages) and holes of a stream in order, each with its offset.</summary>
    public static async IAsyncEnumerable<(long OffsetBytes, StreamRecord Record)> ReadAllAsync(
        ManifestReader tree, StreamRef stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pending = new Stack<(long OffsetBytes, StreamRecord Record, int Level)>();
        if (stream.LengthBytes > 0)
            pending.Push((0, new(stream.LengthBytes, stream.Root), stream.Height));
        while (pending.TryPop(out var next))
        {
            if (next.Level == 0 || next.Record.Slot.IsHole)
            {
                yield return (next.OffsetBytes, next.Record);
                continue;
            }

            var records = await tree.ReadStreamNodeAsync(next.Record.Slot, next.Level, next.Record.LengthBytes, cancellationToken);
            var end = next.OffsetBytes + next.Record.LengthBytes;
            for (var i = records.Length - 1; i >= 0; i--)
            {
                end -= records[i].LengthBytes;
                pending.Push((end, records[i], next.Level - 1));
            }
        }
    }

    /// <summary>The chunk or hole that holds the byte at <paramref name="positionBytes"/>, which is inside the stream.</summary>
    public static async ValueTask<(long OffsetBytes, StreamRecord Record)> FindAsync(
        ManifestReader tree, StreamRef stream, long positionBytes, CancellationToken cancellationToken)
    {
        var offset = 0L;
        var record = new StreamRecord(stream.LengthBytes, stream.Root);
        for (var level = stream.Height; level > 0 && !record.Slot.IsHole; level--)
        {
            foreach (var child in await tree.ReadStreamNodeAsync(record.Slot, level, record.LengthBytes, cancellationToken))
            {
                record = child;
                if (positionBytes < offset + child.LengthBytes)
                    break;
                offset += child.LengthBytes;
            }
        }

        return (offset, record);
    }
}
