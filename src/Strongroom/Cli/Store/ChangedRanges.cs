using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Strongroom.Cli.Store;

/// <summary>A run of a disk, in bytes.</summary>
internal readonly record struct ByteRange(long OffsetBytes, long EndBytes);

/// <summary>What <c>--changed</c> says: the runs of a disk that differ from the parent; sorted, apart from each other, inside the disk.</summary>
internal sealed class ChangedRanges
{
    private const int GreatestLineLength = 4096;
    private const int RangesBeforeMerging = 1 << 20;

    private ChangedRanges(IReadOnlyList<ByteRange> ranges) => Ranges = ranges;

    public IReadOnlyList<ByteRange> Ranges { get; }

    /// <summary>Reads a file or a pipe of lines "offset length"; empty lines and lines that begin with # say nothing.</summary>
    /// <remarks>
    /// Runs may come in any order and overlap. One may reach past the end of the disk, since a bitmap's grain may; it is cut there.
    /// One that begins at the end or after it is refused: the file is then of another disk. Memory: the runs that are apart from each other.
    /// </remarks>
    /// <exception cref="UsageException">A line is wrong; the message has its number.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<ChangedRanges> ReadAsync(string path, long diskLengthBytes, CancellationToken cancellationToken)
    {
        var ranges = new List<ByteRange>();
        var mergeAt = RangesBeforeMerging;
        var number = 0;
        await foreach (var line in ReadLinesAsync(path, cancellationToken))
        {
            number++;
            var text = line.AsSpan().Trim();
            if (text.IsEmpty || text[0] == '#')
                continue;
            ranges.Add(Parse(text, path, number, diskLengthBytes));
            if (ranges.Count < mergeAt)
                continue;
            ranges = Merge(ranges);
            mergeAt = Math.Max(RangesBeforeMerging, 2 * ranges.Count);
        }

        return new(Merge(ranges));
    }

    private static async IAsyncEnumerable<string> ReadLinesAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A pipe opens when somebody opens its other end, and neither that nor a read of it can be called back.
        await using var file = await Task.Run(() => File.OpenRead(path), CancellationToken.None).WaitAsync(cancellationToken);
        using var reader = new StreamReader(new InterruptibleInput(file));
        var buffer = new char[GreatestLineLength];
        var line = new StringBuilder();
        var number = 1;
        int count;
        while ((count = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            for (var start = 0; start < count;)
            {
                var end = Array.IndexOf(buffer, '\n', start, count - start);
                line.Append(buffer, start, (end < 0 ? count : end) - start);
                if (line.Length > GreatestLineLength)
                    throw Wrong(path, number, $"it is longer than {GreatestLineLength} characters, so this is no list of runs");
                if (end < 0)
                    break;
                yield return line.ToString();
                line.Clear();
                number++;
                start = end + 1;
            }
        }

        if (line.Length > 0)
            yield return line.ToString();
    }

    private static ByteRange Parse(ReadOnlySpan<char> text, string path, int number, long diskLengthBytes)
    {
        var space = text.IndexOfAny(' ', '\t');
        if (space < 0 || !TryParse(text[..space], out var offset) || !TryParse(text[(space + 1)..].Trim(), out var length))
            throw Wrong(path, number, $"'{text}' is not 'offset length', two whole numbers of bytes");
        if (length == 0)
            throw Wrong(path, number, "the length is 0");
        if (offset >= diskLengthBytes)
            throw Wrong(path, number, $"offset {offset} is not inside the disk, which has {Sizes.Count(diskLengthBytes, "byte")}");
        return new(offset, length > diskLengthBytes - offset ? diskLengthBytes : offset + length);
    }

    private static bool TryParse(ReadOnlySpan<char> text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static UsageException Wrong(string path, int number, string why) => new($"{path}, line {number}: {why}.");

    private static List<ByteRange> Merge(List<ByteRange> ranges)
    {
        ranges.Sort((a, b) => a.OffsetBytes.CompareTo(b.OffsetBytes));
        var merged = new List<ByteRange>(ranges.Count);
        foreach (var range in ranges)
        {
            if (merged.Count > 0 && range.OffsetBytes <= merged[^1].EndBytes)
                merged[^1] = merged[^1] with { EndBytes = Math.Max(merged[^1].EndBytes, range.EndBytes) };
            else
                merged.Add(range);
        }

        return merged;
    }
}
