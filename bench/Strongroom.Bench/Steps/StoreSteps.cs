using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;
using Strongroom.Store;

namespace Strongroom.Bench.Steps;

/// <summary>The steps of a comparison on the store itself, for one process each: the verbs, the options and the last line are those of <c>strongroom store</c>.</summary>
internal static class StoreSteps
{
    public static async Task InitAsync(string vaultFolder)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await VaultStore.CreateAsync(backend, Key(), new(), TimeProvider.System, CancellationToken.None);
    }

    public static async Task<JsonObject> BackUpAsync(string vaultFolder, string imagePath, string? changedPath, string? parent)
    {
        var clock = StepClock.Start();
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await OpenAsync(backend, new());
        using var disk = new RawImage(imagePath);
        IImageSource source = changedPath is null ? disk : new ChangedImage(disk, ChangedImage.ReadList(changedPath));
        ImageRef? parentImage = parent is null ? null : Find(vault, parent).Images[0].Image;
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(source, parentImage, null, CancellationToken.None);
        var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "bench", Images = [new(0, "disk", image)] };
        var snapshot = await session.CommitAsync(draft, CancellationToken.None);
        var done = session.Statistics;
        return new()
        {
            ["snapshot"] = snapshot.Id.ToString(),
            ["bytesRead"] = done.BytesRead,
            ["bytesNew"] = done.BytesNew,
            ["bytesStored"] = done.BytesStored,
            ["seconds"] = clock.Stop().WallSeconds,
        };
    }

    public static async Task<JsonObject> RestoreAsync(string vaultFolder, string snapshot, string path)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await OpenAsync(backend, new());
        var image = Find(vault, snapshot).Images[0].Image;
        using var sink = new RawImage(path, image.LengthBytes);
        var done = await vault.RestoreAsync(image, sink, null, CancellationToken.None);
        return new() { ["bytesWritten"] = done.BytesWritten, ["bytesRead"] = done.BytesRead };
    }

    public static async Task<JsonObject> VerifyAsync(string vaultFolder)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await OpenAsync(backend, new());
        var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
        if (!report.IsHealthy)
            throw new InvalidDataException(string.Join('\n', report.Problems));
        return new() { ["bytesRead"] = report.BytesRead };
    }

    /// <summary>Reads 4 KiB at random places of an old recovery point, with no chunk cached; then reads some again and compares them with the original.</summary>
    public static async Task<JsonObject> ReadAsync(string vaultFolder, string snapshot, string originalPath, int count)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await OpenAsync(backend, new() { ReadCache = new(ReadCache.LeastBytes) });
        await using var reader = await vault.OpenImageAsync(Find(vault, snapshot).Images[0].Image, CancellationToken.None);
        using var original = new RawImage(originalPath);
        var data = new List<(long Start, long End)>();
        await foreach (var extent in reader.MapAsync(CancellationToken.None))
        {
            if (extent.Kind == ExtentKind.Data)
                data.Add((extent.OffsetBytes, extent.OffsetBytes + extent.LengthBytes));
        }

        // The first reads also pay for the compiler and for opening packs; a server does that once.
        await ReadRandomlyAsync(reader, [(0, reader.LengthBytes)], Math.Max(1, count / 4), seed: 1, null);
        var everywhere = await ReadRandomlyAsync(reader, [(0, reader.LengthBytes)], count, seed: 2, null);
        var dataOnly = await ReadRandomlyAsync(reader, data, count, seed: 3, null);
        await ReadRandomlyAsync(reader, data, Math.Min(count, 500), seed: 4, original);
        return new()
        {
            ["reads"] = count,
            ["cpuMicrosecondsPerRead"] = everywhere.CpuSeconds * 1e6 / count,
            ["wallMicrosecondsPerRead"] = everywhere.WallSeconds * 1e6 / count,
            ["cpuMicrosecondsPerDataRead"] = dataOnly.CpuSeconds * 1e6 / count,
            ["wallMicrosecondsPerDataRead"] = dataOnly.WallSeconds * 1e6 / count,
        };
    }

    /// <summary>Backs up an image as the first of its item until it is told to stop; one line for each backup.</summary>
    public static async Task BackUpUntilAsync(string vaultFolder, string imagePath, string stopPath)
    {
        using var backend = new LocalBackend(vaultFolder);
        await using var vault = await OpenAsync(backend, new());
        while (!File.Exists(stopPath))
        {
            using var disk = new RawImage(imagePath);
            await using var session = await vault.OpenSessionAsync(CancellationToken.None);
            var image = await session.WriteImageAsync(disk, null, null, CancellationToken.None);
            var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "beside", Images = [new(0, "disk", image)] };
            await session.CommitAsync(draft, CancellationToken.None);
            await Console.Out.WriteLineAsync("committed");
        }
    }

    internal static MasterKeyFile Key() => MasterKeyFile.LoadOrCreate(
        Environment.GetEnvironmentVariable("STRONGROOM_KEY_FILE") ?? throw new InvalidOperationException("STRONGROOM_KEY_FILE is not set."));

    internal static Task<VaultStore> OpenAsync(LocalBackend backend, VaultStoreOptions options) =>
        VaultStore.OpenAsync(backend, Key(), options, TimeProvider.System, CancellationToken.None);

    private static Snapshot Find(VaultStore vault, string id) => vault.Require(new(Guid.Parse(id, CultureInfo.InvariantCulture)));

    private static async Task<(double WallSeconds, double CpuSeconds)> ReadRandomlyAsync(
        ImageReader reader, IReadOnlyList<(long Start, long End)> runs, int count, ulong seed, RawImage? original)
    {
        const int ReadLengthBytes = 4096;
        var random = new SequenceRandom(seed);
        var total = runs.Sum(run => (run.End - run.Start) / ReadLengthBytes);
        var starts = new long[runs.Count];
        for (var i = 1; i < starts.Length; i++)
            starts[i] = starts[i - 1] + ((runs[i - 1].End - runs[i - 1].Start) / ReadLengthBytes);
        var buffer = new byte[ReadLengthBytes];
        var expected = new byte[ReadLengthBytes];
        var clock = StepClock.Start();
        for (var i = 0; i < count; i++)
        {
            var block = random.NextBelow(total);
            var run = Array.BinarySearch(starts, block) is var found && found >= 0 ? found : ~found - 1;

            // A run shorter than a block shares its start with the next.
            while (run + 1 < starts.Length && starts[run + 1] == block)
                run++;
            var offset = runs[run].Start + ((block - starts[run]) * ReadLengthBytes);
            await reader.ReadAsync(offset, buffer, CancellationToken.None);
            if (original is null)
                continue;
            await original.ReadAsync(offset, expected, CancellationToken.None);
            if (!buffer.AsSpan().SequenceEqual(expected))
                throw new InvalidDataException($"The recovery point differs from the original at {offset}.");
        }

        return clock.Stop();
    }
}
