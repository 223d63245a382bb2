using Microsoft.Win32.SafeHandles;

namespace Strongroom.Demo;

/// <summary>What was done to a disk between two backups.</summary>
/// <param name="ExtentCount">How many extents differ now.</param>
/// <param name="ChangedBytes">Their sum.</param>
internal sealed record DiskChange(int ExtentCount, long ChangedBytes);

/// <summary>Changes a part of a raw disk in extents that lie scattered over it, as a busy guest would.</summary>
/// <remarks>
/// Most extents overwrite data, with text or with incompressible bytes; one in sixteen becomes zeros, one in eight lands where there
/// was a hole. So a backup must notice new data, changed data and data that went away.
/// </remarks>
internal static class DiskChanger
{
    public const int ExtentBytes = 64 * 1024;

    /// <summary>Changes about <paramref name="fraction"/> of the data that the disk holds, at least one extent.</summary>
    /// <param name="path">A raw disk that belongs to the demo.</param>
    /// <param name="fraction">Between 0 and 1.</param>
    /// <param name="content">Makes the new bytes and the choice of places.</param>
    /// <param name="cancellationToken">Stops between two extents.</param>
    public static async Task<DiskChange> ChangeAsync(
        string path, double fraction, SampleContent content, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, FileOptions.Asynchronous);
        var length = RandomAccess.GetLength(file);
        // The map is taken before the first write, which would change it.
        var data = Extents(SparseFile.DataRuns(file, length)).ToList();
        var dataCount = data.Sum(run => run.Count);
        var holes = Extents(SparseFile.Holes(file, length).Select(Inside)).ToList();
        var holeCount = holes.Sum(run => run.Count);

        var wanted = Math.Max(1, (long)Math.Round(dataCount * fraction));
        var inHoles = Math.Min(wanted / 8, holeCount);
        var places = Scatter(data, dataCount, Math.Min(wanted - inHoles, dataCount), content).ToList();
        places.AddRange(Scatter(holes, holeCount, places.Count == 0 ? Math.Min(1, holeCount) : inHoles, content));

        var (count, changed) = (0, 0L);
        foreach (var (place, index) in places.Select((place, index) => (place, index)))
        {
            var offset = place * ExtentBytes;
            var bytes = (int)Math.Min(ExtentBytes, length - offset);
            await ChangeExtentAsync(file, offset, bytes, index, content, cancellationToken);
            count++;
            changed += bytes;
        }

        return new DiskChange(count, changed);
    }

    private static async Task ChangeExtentAsync(
        SafeFileHandle file, long offset, int bytes, int index, SampleContent content, CancellationToken cancellationToken)
    {
        var old = new byte[bytes];
        for (var got = 0; got < bytes;)
        {
            var read = await RandomAccess.ReadAsync(file, old.AsMemory(got), offset + got, cancellationToken);
            if (read == 0)
                break;
            got += read;
        }

        var fresh = new byte[bytes];
        if (index % 16 == 15)
        {
            // Zeros: the array is that already.
        }
        else if (index % 2 == 0)
        {
            content.FillText(fresh);
        }
        else
        {
            content.FillRandom(fresh);
        }

        // What is counted as changed must differ: zeros over zeros would not.
        if (fresh.AsSpan().SequenceEqual(old))
            content.FillRandom(fresh);
        await RandomAccess.WriteAsync(file, fresh, offset, cancellationToken);
    }

    /// <summary>Whole extents that a run touches, by number; adjacent runs that share one do not count it twice.</summary>
    private static IEnumerable<(long First, long Count)> Extents(IEnumerable<ByteRun> runs)
    {
        var free = 0L;
        foreach (var run in runs)
        {
            var first = Math.Max(free, run.OffsetBytes / ExtentBytes);
            var end = (run.EndBytes + ExtentBytes - 1) / ExtentBytes;
            if (end <= first)
                continue;
            yield return (first, end - first);
            free = end;
        }
    }

    /// <summary>The part of a hole that shares no extent with data.</summary>
    private static ByteRun Inside(ByteRun hole)
    {
        var start = (hole.OffsetBytes + ExtentBytes - 1) / ExtentBytes * ExtentBytes;
        var end = hole.EndBytes / ExtentBytes * ExtentBytes;
        return new ByteRun(start, Math.Max(0, end - start));
    }

    /// <summary>Picks <paramref name="wanted"/> different extents, one in each of as many equal parts of the list.</summary>
    private static IEnumerable<long> Scatter(List<(long First, long Count)> runs, long total, long wanted, SampleContent content)
    {
        var (run, before) = (0, 0L);
        for (var i = 0L; i < wanted; i++)
        {
            var (from, to) = (Share(i), Share(i + 1));
            var ordinal = from + (long)(content.Next() % (ulong)(to - from));
            while (ordinal - before >= runs[run].Count)
                before += runs[run++].Count;
            yield return runs[run].First + ordinal - before;
        }

        long Share(long part) => (long)((Int128)total * part / wanted);
    }
}
