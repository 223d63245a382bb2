using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;
using Strongroom.Store;
using Strongroom.Store.Index;
using Strongroom.Store.Keys;
using Strongroom.Store.Packs;

namespace Strongroom.Bench.Indexing;

/// <summary>Builds an index of many records, opens it in a process of its own and looks things up.</summary>
internal static class IndexBench
{
    private const double Megabyte = 1e6;
    private const double ChunksPerTebibyte = (1L << 40) / (256.0 * 1024);

    public static async Task<int> RunAsync(long records, string parentFolder, bool keep, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parentFolder, $"strongroom-index-{Environment.ProcessId}")).FullName;
        try
        {
            var count = records.ToString(CultureInfo.InvariantCulture);
            var built = await ChildAsync("index-build", folder, count, cancellationToken);
            var opened = await ChildAsync("index-open", folder, count, cancellationToken);
            Print(records, built, opened);
            return 0;
        }
        finally
        {
            if (!keep)
                Directory.Delete(folder, recursive: true);
        }
    }

    public static async Task<JsonObject> BuildAsync(string folder, long records)
    {
        var index = new SyntheticIndex(records);
        var ring = KeyRing.Generate(Guid.NewGuid());
        await File.WriteAllBytesAsync(RingPath(folder), ring.Format());
        using var backend = new LocalBackend(folder);
        var clock = StepClock.Start();
        await index.BuildAsync(backend, ring, CancellationToken.None);
        var (wall, cpu) = clock.Stop();
        return new()
        {
            ["wallSeconds"] = wall,
            ["cpuSeconds"] = cpu,
            ["segments"] = index.Segments.Count,
            ["lengthBytes"] = SegmentPaths(folder).Sum(path => new FileInfo(path).Length),
        };
    }

    public static async Task<JsonObject> OpenAsync(string folder, long records)
    {
        var known = new SyntheticIndex(records);
        var ring = KeyRing.Parse(await File.ReadAllBytesAsync(RingPath(folder)));
        using var backend = new LocalBackend(folder);
        using var codecs = new FrameCodecPool();
        var confirmed = 0L;

        // Called for each record found, before its pack is looked at. There are no packs: what is measured ends here.
        using var index = new DedupIndex(new PackReader(backend, ring, codecs), 64 * 1024, _ => Interlocked.Increment(ref confirmed) < 0);
        foreach (var path in SegmentPaths(folder))
            ResourceCalls.DropCache(path);
        var before = ProcessMemory.ReadCollected();
        var clock = StepClock.Start();
        _ = await index.LoadAsync(CancellationToken.None);
        var (openWall, openCpu) = clock.Stop();
        var opened = ProcessMemory.Read();
        var collected = ProcessMemory.ReadCollected();

        await LookUpAsync(index, 10_000, number => SyntheticIndex.Absent((ulong)number));
        var readsBefore = ProcessMemory.CountReads();
        const int Misses = 1_000_000;
        var misses = await LookUpAsync(index, Misses, number => SyntheticIndex.Absent((ulong)(number + 10_000)));
        var pagesRead = ProcessMemory.CountReads() - readsBefore;

        // The first hits find the page cache empty but for the pages that misses read; the second ones find what the first read.
        foreach (var path in SegmentPaths(folder))
            ResourceCalls.DropCache(path);
        const int ColdHits = 5_000;
        const int WarmHits = 100_000;
        confirmed = 0;
        var cold = await LookUpAsync(index, ColdHits, number => known.IdOf((long)(SequenceRandom.At(6, (ulong)number) % (ulong)records)));
        await LookUpAsync(index, WarmHits, number => known.IdOf((long)(SequenceRandom.At(7, (ulong)number) % (ulong)records)));
        var warm = await LookUpAsync(index, WarmHits, number => known.IdOf((long)(SequenceRandom.At(7, (ulong)number) % (ulong)records)));
        if (confirmed < ColdHits + WarmHits + WarmHits)
            throw new InvalidDataException($"Of {ColdHits + WarmHits + WarmHits} ids in the index only {confirmed} were found.");
        var after = ProcessMemory.ReadCollected();
        return new()
        {
            ["openWallSeconds"] = openWall,
            ["openCpuSeconds"] = openCpu,
            ["records"] = index.Count,
            ["anonymousBeforeBytes"] = before.AnonymousBytes,
            ["anonymousOpenBytes"] = opened.AnonymousBytes,
            ["anonymousCollectedBytes"] = collected.AnonymousBytes,
            ["anonymousAfterBytes"] = after.AnonymousBytes,
            ["fileBytes"] = after.FileBytes,
            ["peakRssBytes"] = after.PeakRssBytes,
            ["pageCacheBytes"] = SegmentPaths(folder).Sum(ResourceCalls.CachedBytes),
            ["missesPerSecond"] = Misses / misses.WallSeconds,
            ["missesReadingPercent"] = pagesRead * 100.0 / Misses,
            ["coldHitsPerSecond"] = ColdHits / cold.WallSeconds,
            ["warmHitsPerSecond"] = WarmHits / warm.WallSeconds,
            ["warmHitCpuMicroseconds"] = warm.CpuSeconds * 1e6 / WarmHits,
        };
    }

    private static async Task<(double WallSeconds, double CpuSeconds)> LookUpAsync(DedupIndex index, int count, Func<int, ChunkId> idOf)
    {
        var clock = StepClock.Start();
        for (var i = 0; i < count; i++)
            await index.FindAsync(idOf(i), CancellationToken.None);
        return clock.Stop();
    }

    private static async Task<JsonNode> ChildAsync(string verb, string folder, string records, CancellationToken cancellationToken)
    {
        string[] arguments = [MeasuredProcess.Self, "step", verb, folder, "--records", records];
        var done = await MeasuredProcess.RunAsync(new(arguments, folder, new Dictionary<string, string>()), cancellationToken);
        var json = done.Json;
        json["processPeakRssBytes"] = (double)done.Usage.PeakRssBytes;
        return json;
    }

    private static void Print(long records, JsonNode built, JsonNode opened)
    {
        var tebibytes = records / ChunksPerTebibyte;
        var grown = opened["anonymousAfterBytes"]!.GetValue<double>() - opened["anonymousBeforeBytes"]!.GetValue<double>();
        (string What, string Number)[] rows =
        [
            ("records", records.ToString("N0", CultureInfo.InvariantCulture)),
            ("which is, at 256 KiB a chunk, TiB of unique data", Text(tebibytes, "F2")),
            ("segments", Text(Number(built, "segments"), "F0")),
            ("files, MB", Text(Number(built, "lengthBytes") / Megabyte, "F0")),
            ("build, wall s", Text(Number(built, "wallSeconds"), "F1")),
            ("build, CPU s", Text(Number(built, "cpuSeconds"), "F1")),
            ("build, peak RSS MB", Text(Number(built, "processPeakRssBytes") / Megabyte, "F0")),
            ("open with an empty page cache, wall s", Text(Number(opened, "openWallSeconds"), "F2")),
            ("open, CPU s", Text(Number(opened, "openCpuSeconds"), "F2")),
            ("anonymous memory before opening, MB", Text(Number(opened, "anonymousBeforeBytes") / Megabyte, "F1")),
            ("right after opening, garbage included, MB", Text(Number(opened, "anonymousOpenBytes") / Megabyte, "F1")),
            ("collected, MB", Text(Number(opened, "anonymousCollectedBytes") / Megabyte, "F1")),
            ("after all lookups, collected, MB", Text(Number(opened, "anonymousAfterBytes") / Megabyte, "F1")),
            ("**the index, MB for each TiB**", $"**{Text(grown / Megabyte / tebibytes, "F2")}**"),
            ("mapped files (code), MB", Text(Number(opened, "fileBytes") / Megabyte, "F1")),
            ("peak RSS of the process, MB", Text(Number(opened, "peakRssBytes") / Megabyte, "F1")),
            ("segments in the kernel's page cache at the end (not RSS; dropped under pressure), MB", Text(Number(opened, "pageCacheBytes") / Megabyte, "F1")),
            ("misses a second", Text(Number(opened, "missesPerSecond"), "N0")),
            ("misses that read a page, %", Text(Number(opened, "missesReadingPercent"), "F2")),
            ("hits a second, pages cached", Text(Number(opened, "warmHitsPerSecond"), "N0")),
            ("CPU µs of such a hit", Text(Number(opened, "warmHitCpuMicroseconds"), "F1")),
            ("hits a second, page cache empty", Text(Number(opened, "coldHitsPerSecond"), "N0")),
        ];
        Console.WriteLine("| dedup index | |\n|---|---:|");
        foreach (var (what, number) in rows)
            Console.WriteLine($"| {what} | {number} |");
    }

    private static double Number(JsonNode json, string name) => json[name]!.GetValue<double>();

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);

    private static string RingPath(string folder) => Path.Combine(folder, "ring");

    private static IEnumerable<string> SegmentPaths(string folder) => Directory.EnumerateFiles(Path.Combine(folder, "idx"));
}
