using System.Diagnostics;
using System.Globalization;
using Strongroom.Store;

namespace Strongroom.Bench;

/// <summary>Backs up, restores and verifies real images through the store, and says what each step cost.</summary>
internal static class StoreBench
{
    private const double Megabyte = 1e6;

    public static async Task<int> RunAsync(StoreBenchOptions options)
    {
        var folder = options.Vault ?? Path.Combine(Path.GetTempPath(), $"strongroom-bench-{Environment.ProcessId}");
        Directory.CreateDirectory(folder);
        try
        {
            using var backend = new LocalBackend(Path.Combine(folder, "vault"));
            var key = MasterKeyFile.LoadOrCreate(Path.Combine(folder, "master.key"));
            await using var vault = await VaultStore.CreateAsync(backend, key, new VaultStoreOptions(), TimeProvider.System, CancellationToken.None);
            Console.WriteLine("step                 wall s   CPU s   read MB    new MB  stored MB  dedup MB    MB/s   peak RSS MB");
            var first = await BackUpAsync(vault, "initial", options.Image, null);
            var last = first;
            var lastPath = options.Image;
            if (options.Second is { } second)
            {
                last = await BackUpAsync(vault, "increment", second, first);
                lastPath = second;
            }

            await BackUpAsync(vault, "unchanged", lastPath, last);
            await RestoreAsync(vault, "restore", last, lastPath, folder);
            await VerifyAsync(vault);
            return 0;
        }
        finally
        {
            if (options.Vault is null)
                Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<ImageRef> BackUpAsync(VaultStore vault, string step, string path, ImageRef? parent)
    {
        using var source = new RawImage(path);
        var clock = StepClock.Start();
        await using var session = await vault.OpenSessionAsync(CancellationToken.None);
        var image = await session.WriteImageAsync(source, parent, null, CancellationToken.None);
        var draft = new SnapshotDraft { Id = new(Guid.NewGuid()), ItemId = "bench", Images = [new(0, "disk", image)] };
        await session.CommitAsync(draft, CancellationToken.None);
        var done = session.Statistics;
        Print(step, clock, done.BytesRead, done.BytesNew, done.BytesStored, done.BytesDeduplicated, source.LengthBytes);
        return image;
    }

    private static async Task RestoreAsync(VaultStore vault, string step, ImageRef image, string original, string folder)
    {
        var path = Path.Combine(folder, "restored.img");
        var clock = StepClock.Start();
        RestoreStatistics done;
        using (var sink = new RawImage(path, image.LengthBytes))
            done = await vault.RestoreAsync(image, sink, null, CancellationToken.None);
        Print(step, clock, done.BytesRead, 0, 0, 0, image.LengthBytes);
        if (!await RawImage.AreSameAsync(original, path))
            throw new InvalidDataException($"The restored disk differs from {original}.");
        Console.WriteLine("                     restored disk compared with the original: the same");
        File.Delete(path);
    }

    private static async Task VerifyAsync(VaultStore vault)
    {
        var clock = StepClock.Start();
        var report = await vault.VerifyAsync(readData: true, null, CancellationToken.None);
        Print("verify all data", clock, report.BytesRead, 0, 0, 0, report.BytesRead);
        if (!report.IsHealthy)
            throw new InvalidDataException(string.Join('\n', report.Problems));
    }

    private static void Print(string step, StepClock clock, long read, long added, long stored, long deduplicated, long length)
    {
        var (wall, cpu) = clock.Stop();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{step,-19}{wall,8:F2}{cpu,8:F2}{read / Megabyte,10:F1}{added / Megabyte,10:F1}{stored / Megabyte,11:F1}{deduplicated / Megabyte,10:F1}{length / Megabyte / wall,8:F0}{PeakMegabytes(),14:F0}"));
    }

    private static double PeakMegabytes()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / Megabyte;
    }

    private readonly record struct StepClock(long StartedAt, TimeSpan CpuBefore)
    {
        public static StepClock Start()
        {
            using var process = Process.GetCurrentProcess();
            return new(Stopwatch.GetTimestamp(), process.TotalProcessorTime);
        }

        public (double WallSeconds, double CpuSeconds) Stop()
        {
            var wall = Stopwatch.GetElapsedTime(StartedAt).TotalSeconds;
            using var process = Process.GetCurrentProcess();
            return (wall, (process.TotalProcessorTime - CpuBefore).TotalSeconds);
        }
    }
}
