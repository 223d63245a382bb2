namespace Strongroom.Store.Simulation.World;

/// <summary>A disk as 64 KiB pieces, each zeros or one of a few patterns: few, so that different disks share chunks. Immutable.</summary>
internal sealed record DiskModel(long LengthBytes, IReadOnlyDictionary<long, int> Pieces)
{
    public const int PieceBytes = 64 * 1024;
    private const int Patterns = 10;
    private static readonly byte[][] Contents = [.. Enumerable.Range(0, Patterns + 1).Select(Make)];

    public static DiskModel Choose(Random random)
    {
        var length = random.Next(4) switch
        {
            0 => random.Next(1, 3 * PieceBytes),
            1 => (257L << 18) + random.Next(PieceBytes),
            _ => ((long)random.Next(4, 20) * PieceBytes) + (random.Next(2) * random.Next(PieceBytes)),
        };
        return new DiskModel(length, new Dictionary<long, int>()).Change(random, 6);
    }

    /// <summary>No longer than a few chunks of a stream.</summary>
    public static DiskModel ChooseSmall(Random random) =>
        new DiskModel(random.Next(1, 24 * PieceBytes), new Dictionary<long, int>()).Change(random, 8);

    /// <summary>Another disk of the same or another length that differs in up to so many pieces.</summary>
    public DiskModel Change(Random random, int changes)
    {
        var length = random.Next(8) == 0 ? Math.Max(1, LengthBytes + random.Next(-3 * PieceBytes, 3 * PieceBytes)) : LengthBytes;
        var count = ((length - 1) / PieceBytes) + 1;
        var pieces = Pieces.Where(piece => piece.Key < count).ToDictionary();
        for (var i = random.Next(changes + 1); i > 0; i--)
        {
            // A run, so that whole slots come about; at the beginning or the end, so that huge disks have both.
            var start = random.Next(2) == 0 ? random.NextInt64(Math.Min(count, 12)) : count - 1 - random.NextInt64(Math.Min(count, 8));
            var pattern = random.Next(Patterns + 1);
            for (var at = start; at < Math.Min(count, start + random.Next(1, 6)); at++)
                pieces[at] = pattern;
        }

        foreach (var zero in pieces.Where(piece => piece.Value == 0).Select(piece => piece.Key).ToList())
            pieces.Remove(zero);
        return new(length, pieces);
    }

    /// <summary>The bytes of one piece; all zeros for pattern 0. Every third pattern does not compress; a test may use any number.</summary>
    public ReadOnlySpan<byte> PieceAt(long index) =>
        Pieces.GetValueOrDefault(index) is var pattern && pattern < Contents.Length ? Contents[pattern] : Make(pattern);

    public void Read(long offsetBytes, Span<byte> target)
    {
        while (target.Length > 0)
        {
            var within = (int)(offsetBytes % PieceBytes);
            var count = Math.Min(target.Length, PieceBytes - within);
            PieceAt(offsetBytes / PieceBytes).Slice(within, count).CopyTo(target);
            target = target[count..];
            offsetBytes += count;
        }
    }

    private static byte[] Make(int pattern)
    {
        var content = new byte[PieceBytes];
        if (pattern == 0)
            return content;
        var random = new Random(pattern);
        random.NextBytes(content.AsSpan(0, pattern % 3 == 0 ? PieceBytes : 512));
        if (pattern % 3 != 0)
        {
            for (var at = 512; at < PieceBytes; at += 512)
                content.AsSpan(0, 512).CopyTo(content.AsSpan(at));
        }

        return content;
    }
}

/// <summary>A disk to be backed up, with or without knowledge of what changed.</summary>
internal sealed class ModelSource(DiskModel disk, DiskModel? parent) : IImageSource
{
    public long LengthBytes => disk.LengthBytes;

    public async IAsyncEnumerable<ImageExtent> MapAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var offset = 0L; offset < LengthBytes;)
        {
            var kind = KindAt(offset / DiskModel.PieceBytes);
            var start = offset;
            while (offset < LengthBytes && KindAt(offset / DiskModel.PieceBytes) == kind)
                offset = Math.Min(LengthBytes, offset + DiskModel.PieceBytes);
            await Task.Yield();
            yield return new(start, offset - start, kind);
        }
    }

    public async ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        await Task.Yield();
        disk.Read(offsetBytes, buffer.Span);
    }

    private ExtentKind KindAt(long piece)
    {
        var pattern = disk.Pieces.GetValueOrDefault(piece);
        var isWhole = (piece + 1) * DiskModel.PieceBytes <= Math.Min(parent?.LengthBytes ?? 0, LengthBytes);
        if (parent is not null && isWhole && parent.Pieces.GetValueOrDefault(piece) == pattern)
            return ExtentKind.Unchanged;
        return pattern == 0 ? ExtentKind.Zero : ExtentKind.Data;
    }
}

/// <summary>Compares what is restored with what must come.</summary>
internal sealed class ModelSink(DiskModel disk) : IImageSink
{
    private readonly Dictionary<long, long> written = [];

    /// <summary>The first thing that was wrong, or null.</summary>
    public string? Fault { get; private set; }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var expected = new byte[data.Length];
        if (offsetBytes < 0 || offsetBytes + data.Length > disk.LengthBytes)
        {
            Fault ??= $"bytes {offsetBytes} to {offsetBytes + data.Length} are outside the disk";
            return default;
        }

        disk.Read(offsetBytes, expected);
        if (!data.Span.SequenceEqual(expected))
            Fault ??= $"wrong bytes at {offsetBytes}";
        for (var at = offsetBytes; at < offsetBytes + data.Length;)
        {
            var piece = at / DiskModel.PieceBytes;
            var end = Math.Min((piece + 1) * DiskModel.PieceBytes, offsetBytes + data.Length);
            written[piece] = written.GetValueOrDefault(piece) + end - at;
            at = end;
        }

        return default;
    }

    /// <summary>What is wrong with the whole, or null.</summary>
    public string? FaultOfWhole()
    {
        foreach (var (piece, _) in disk.Pieces)
        {
            var length = Math.Min(DiskModel.PieceBytes, disk.LengthBytes - (piece * DiskModel.PieceBytes));
            if (written.GetValueOrDefault(piece) < length)
                return Fault ?? $"piece {piece} was not restored";
        }

        return Fault;
    }
}
