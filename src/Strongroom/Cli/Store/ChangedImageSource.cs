using System.Runtime.CompilerServices;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>A disk of which it is known what changed: everything else is as in the parent and is not read.</summary>
/// <remarks>The store itself reads what lies beyond the end of a parent that is shorter.</remarks>
internal sealed class ChangedImageSource(IImageSource disk, ChangedRanges changed) : IImageSource
{
    public long LengthBytes => disk.LengthBytes;

    /// <summary>The list of changes is no part of it: it says nothing of the bytes.</summary>
    public string? ResumeToken => disk.ResumeToken;

    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ranges = changed.Ranges;
        if (ranges.Count == 0)
        {
            if (LengthBytes > 0)
                yield return new(0, LengthBytes, ExtentKind.Unchanged);
            yield break;
        }

        // The disk's own runs are cut at the borders of the changed ones: a hole that was punched is a change, too.
        var next = 0;
        await foreach (var extent in disk.MapAsync(cancellationToken))
        {
            var position = extent.OffsetBytes;
            var end = position + extent.LengthBytes;
            while (position < end)
            {
                while (next < ranges.Count && ranges[next].EndBytes <= position)
                    next++;
                var range = next < ranges.Count ? ranges[next] : new(long.MaxValue, long.MaxValue);
                var isChanged = range.OffsetBytes <= position;
                var stop = Math.Min(end, isChanged ? range.EndBytes : range.OffsetBytes);
                yield return new(position, stop - position, isChanged ? extent.Kind : ExtentKind.Unchanged);
                position = stop;
            }
        }
    }

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => disk.ReadAsync(offsetBytes, buffer, cancellationToken);
}
