using System.Globalization;
using System.Runtime.CompilerServices;
using Strongroom.Store;

namespace Strongroom.Bench.Disks;

/// <summary>A disk of which it is known what changed since its parent: everything else is declared unchanged and is not read.</summary>
internal sealed class ChangedImage(IImageSource disk, IReadOnlyList<(long OffsetBytes, long LengthBytes)> changed) : IImageSource
{
    public long LengthBytes => disk.LengthBytes;

    /// <summary>Lines <c>offset length</c> in bytes, ascending and without overlap.</summary>
    public static IReadOnlyList<(long OffsetBytes, long LengthBytes)> ReadList(string path) =>
        [.. File.ReadLines(path).Select(line => line.Split(' ')).Select(parts => (Number(parts[0]), Number(parts[1])))];

    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        var end = 0L;
        foreach (var (offset, length) in changed)
        {
            if (offset > end)
                yield return new(end, offset - end, ExtentKind.Unchanged);
            yield return new(offset, length, ExtentKind.Data);
            end = offset + length;
        }

        if (end < LengthBytes)
            yield return new(end, LengthBytes - end, ExtentKind.Unchanged);
    }

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) =>
        disk.ReadAsync(offsetBytes, buffer, cancellationToken);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
