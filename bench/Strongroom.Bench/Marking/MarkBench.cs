using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Bench.Cli;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;
using Strongroom.Bench.Steps;
using Strongroom.Store;

namespace Strongroom.Bench.Marking;

/// <summary>Marks a large synthetic vault in one process while another backs up into it.</summary>
internal static class MarkBench
{
    private const double Megabyte = 1e6;

    public static async Task<int> RunAsync(VaultRecipe recipe, string parentFolder, bool keep, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parentFolder, $"strongroom-mark-{Environment.ProcessId}")).FullName;
        var settings = new Dictionary<string, string> { ["STRONGROOM_KEY_FILE"] = Path.Combine(folder, "key") };
        try
        {
            var vault = Path.Combine(folder, "vault");
            var built = await MeasuredProcess.RunAsync(new([MeasuredProcess.Self, "step", "mark-build", vault, .. BenchCommands.RecipeOptions.Format(recipe)], folder, settings), cancellationToken);
            await Console.Error.WriteLineAsync($"built: {built.Json.ToJsonString()} {built.Usage}");
            Invocation mark = new([MeasuredProcess.Self, "step", "mark", vault], folder, settings);
            var alone = await MeasuredProcess.RunAsync(mark, cancellationToken);
            var (beside, backups, seconds) = await MarkBesideBackupAsync(mark, vault, folder, settings, cancellationToken);
            Print(recipe, built, alone, beside, backups, seconds);
            return 0;
        }
        finally
        {
            if (!keep)
                Directory.Delete(folder, recursive: true);
        }
    }

    public static async Task<JsonObject> BuildAsync(string folder, VaultRecipe recipe)
    {
        using var backend = new LocalBackend(folder);
        await using var vault = await VaultStore.CreateAsync(backend, StoreSteps.Key(), new(), TimeProvider.System, CancellationToken.None);
        var synthetic = new SyntheticVault(vault, recipe);
        await synthetic.BuildAsync(CancellationToken.None);
        return new()
        {
            ["leaves"] = synthetic.Leaves,
            ["dataPacks"] = synthetic.DataPacks,
            ["nodePacks"] = vault.Statistics.Packs,
            ["manifestBytes"] = vault.Statistics.BytesStored,
        };
    }

    /// <summary>The collector's mark.</summary>
    public static async Task<JsonObject> MarkAsync(string folder)
    {
        using var backend = new LocalBackend(folder);
        var opening = StepClock.Start();
        await using var vault = await StoreSteps.OpenAsync(backend, new());
        var (openWall, openCpu) = opening.Stop();
        var marking = StepClock.Start();
        var marker = await vault.MarkAsync(CancellationToken.None);
        var (wall, cpu) = marking.Stop();
        return new()
        {
            ["openWallSeconds"] = openWall,
            ["openCpuSeconds"] = openCpu,
            ["markWallSeconds"] = wall,
            ["markCpuSeconds"] = cpu,
            ["nodes"] = marker.Nodes,
        };
    }

    private static async Task<(Outcome Mark, int Backups, double Seconds)> MarkBesideBackupAsync(
        Invocation mark, string vault, string folder, Dictionary<string, string> settings, CancellationToken cancellationToken)
    {
        var disk = Path.Combine(folder, "beside.img");
        var stop = Path.Combine(folder, "stop");
        DiskMaker.Make(disk, new(256 << 20, 0, 1, 1, 7, "/usr"));
        var startedAt = Stopwatch.GetTimestamp();
        var backups = MeasuredProcess.RunAsync(
            new([MeasuredProcess.Self, "step", "backup-until", vault, "--image", disk, "--stop", stop], folder, settings), cancellationToken);
        Outcome done;
        try
        {
            done = await MeasuredProcess.RunAsync(mark, cancellationToken);
        }
        finally
        {
            await File.WriteAllTextAsync(stop, "", CancellationToken.None);
        }

        var lines = (await backups).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
        return (done, lines, Stopwatch.GetElapsedTime(startedAt).TotalSeconds);
    }

    private static void Print(VaultRecipe recipe, Outcome built, Outcome alone, Outcome beside, int backups, double seconds)
    {
        var tebibytes = recipe.DiskCount * (double)recipe.DiskLengthBytes / (1L << 40);
        Console.WriteLine($"| mark of {Text(tebibytes, "F2")} TiB, {recipe.Snapshots} recovery points, {built.Json["leaves"]} leaves, {built.Json["dataPacks"]} data packs | alone | beside a backup |\n|---|---:|---:|");
        Row("open, wall s", "F2", one => Number(one, "openWallSeconds"));
        Row("open, CPU s", "F2", one => Number(one, "openCpuSeconds"));
        Row("**mark, wall s**", "F2", one => Number(one, "markWallSeconds"));
        Row("mark, CPU s", "F2", one => Number(one, "markCpuSeconds"));
        Row("peak RSS of the process, MB", "F0", one => one.Usage.PeakRssBytes / Megabyte);
        Console.WriteLine($"| backups of 256 MiB committed meanwhile, the first of them all new | – | {backups} in {Text(seconds, "F1")} s |");
        Console.WriteLine($"| manifests, MB | {Text(Number(built, "manifestBytes") / Megabyte, "F0")} | |");

        void Row(string what, string format, Func<Outcome, double> pick) =>
            Console.WriteLine($"| {what} | {Text(pick(alone), format)} | {Text(pick(beside), format)} |");
    }

    private static double Number(Outcome outcome, string name) => outcome.Json[name]!.GetValue<double>();

    private static string Text(double number, string format) => number.ToString(format, CultureInfo.InvariantCulture);
}
