using System.Diagnostics;
using System.Text.Json.Nodes;
using Strongroom.Bench.Peers;

namespace Strongroom.Bench.Iscsi;

/// <summary>Serves one disk twice, as a recovery point by ours and as a raw file by tgt, and reads both by turns.</summary>
internal static class IscsiBench
{
    public static async Task<int> RunAsync(IscsiBenchOptions options, CancellationToken cancellationToken)
    {
        string[] programs = ["tgtd", "tgtadm", "iscsi-perf", "qemu-img"];
        if (programs.FirstOrDefault(program => !Machine.IsOnPath(program)) is { } missing)
            throw new InvalidOperationException($"{missing} is not on the PATH (Debian: tgt, libiscsi-bin, qemu-utils, qemu-block-extra).");
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"strongroom-iscsi-{Environment.ProcessId}")).FullName;
        try
        {
            var vault = new BenchVault(folder, options.StrongroomPath);
            var stored = await vault.MakeAsync(options.Disk, cancellationToken);
            await Console.Error.WriteLineAsync($"a disk of {options.Disk.LengthBytes} bytes, {stored} of them in the vault");
            var table = new IscsiTable();
            for (var round = 0; round < options.Rounds; round++)
                await RunRoundAsync(round, vault, options, table, cancellationToken);
            Console.WriteLine(table.ToMarkdown());
            if (options.JsonPath is not null)
            {
                var json = new JsonObject { ["machine"] = await Machine.DescribeAsync([], cancellationToken), ["cache"] = options.Cache, ["runs"] = table.ToJson() };
                await File.WriteAllTextAsync(options.JsonPath, json.ToJsonString(new() { WriteIndented = true }), cancellationToken);
            }

            return 0;
        }
        finally
        {
            if (options.Keep)
                await Console.Error.WriteLineAsync($"kept: {folder}");
            else
                Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Each load meets a server that has just started and an empty page cache; then, when the whole disk was read and compared, the same server again.</summary>
    private static async Task RunRoundAsync(int round, BenchVault vault, IscsiBenchOptions options, IscsiTable table, CancellationToken cancellationToken)
    {
        string[] order = round % 2 == 0 ? [IscsiTable.Ours, IscsiTable.Theirs] : [IscsiTable.Theirs, IscsiTable.Ours];
        foreach (var load in IscsiLoad.All(options.Seconds, options.Disk.LengthBytes))
        {
            foreach (var name in order)
            {
                await using var side = name == IscsiTable.Ours
                    ? await StrongroomSide.StartAsync(vault, options.Cache, cancellationToken)
                    : await TgtSide.StartAsync(vault.DiskPath, cancellationToken);
                vault.DropCaches();
                await MeasureAsync(load, isWarm: false, name, side, table, cancellationToken);
                await Programs.RunAsync(["qemu-img", "compare", "-f", "raw", "-F", "raw", side.Url, vault.DiskPath], null, cancellationToken);
                await MeasureAsync(load, isWarm: true, name, side, table, cancellationToken);
            }
        }
    }

    private static async Task MeasureAsync(IscsiLoad load, bool isWarm, string name, IscsiSide side, IscsiTable table, CancellationToken cancellationToken)
    {
        var (cpu, started) = (side.CpuSeconds, Stopwatch.GetTimestamp());
        var rate = load.Parse(await Programs.RunAsync(load.CommandOf(side.Url), null, cancellationToken));
        var requests = rate * Stopwatch.GetElapsedTime(started).TotalSeconds;
        var run = new IscsiRun(rate, (side.CpuSeconds - cpu) * 1e6 / requests, side.PeakRssBytes);
        table.Add(load, isWarm, name, run);
        await Console.Error.WriteLineAsync($"  {load.Name}, {(isWarm ? "warm" : "cold")}, {name}: {run}");
    }
}
