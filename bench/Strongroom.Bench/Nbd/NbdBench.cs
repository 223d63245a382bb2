using System.Diagnostics;
using System.Globalization;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;
using Strongroom.Bench.Peers;
using Strongroom.Blocks;
using Strongroom.Blocks.Nbd;

namespace Strongroom.Bench.Nbd;

/// <summary>What to compare.</summary>
/// <param name="Disk">The disk that is served.</param>
/// <param name="RequestBytes">Length of each read; nbdcopy's own is 256 KiB.</param>
/// <param name="Connections">Each number of connections is measured.</param>
/// <param name="Rounds">How often; the medians count.</param>
/// <param name="Folder">Where to work: a new folder below it.</param>
internal sealed record NbdBenchOptions(DiskRecipe Disk, int RequestBytes, IReadOnlyList<int> Connections, int Rounds, string Folder);

/// <summary>Reads a raw file through qemu-nbd over a Unix socket, with our client and with nbdcopy to nowhere, by turns; the file is in the page cache.</summary>
internal static class NbdBench
{
    private const int RequestsUnderWay = 16;
    private const string Ours = "strongroom";
    private const string Theirs = "nbdcopy";

    public static async Task<int> RunAsync(NbdBenchOptions options, CancellationToken cancellationToken)
    {
        if (((string[])["qemu-nbd", "nbdcopy"]).FirstOrDefault(program => !Machine.IsOnPath(program)) is { } missing)
            throw new InvalidOperationException($"{missing} is not on the PATH (Debian: qemu-utils, libnbd-bin).");
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"strongroom-nbd-{Environment.ProcessId}")).FullName;
        try
        {
            var (disk, socket) = (Path.Combine(folder, "disk"), Path.Combine(folder, "nbd"));
            DiskMaker.Make(disk, options.Disk);
            using var server = Process.Start("qemu-nbd", ["--read-only", "--persistent", "--shared=64", "--format=raw", $"--socket={socket}", disk]);
            try
            {
                while (!File.Exists(socket))
                    await Task.Delay(10, cancellationToken);
                await ReadAsync(socket, options, options.Connections[0], cancellationToken);
                Print(await MeasureAsync(socket, options, cancellationToken), options);
                return 0;
            }
            finally
            {
                server.Kill();
                await server.WaitForExitAsync(CancellationToken.None);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<List<(int Connections, string Side, Usage Usage)>> MeasureAsync(string socket, NbdBenchOptions options, CancellationToken cancellationToken)
    {
        var runs = new List<(int Connections, string Side, Usage Usage)>();
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var connections in options.Connections)
            {
                foreach (var side in round % 2 == 0 ? (string[])[Ours, Theirs] : [Theirs, Ours])
                {
                    var usage = side == Ours
                        ? await ReadAsync(socket, options, connections, cancellationToken)
                        : await CopyAsync(socket, options, connections, cancellationToken);
                    runs.Add((connections, side, usage));
                    await Console.Error.WriteLineAsync($"  {connections} connections, {side}: {usage.WallSeconds:F2} s, CPU {usage.CpuSeconds:F2} s");
                }
            }
        }

        return runs;
    }

    /// <summary>As a backup does it: the map first, then what it says is data, many reads at a time into buffers that are used again.</summary>
    private static async Task<Usage> ReadAsync(string socket, NbdBenchOptions options, int connections, CancellationToken cancellationToken)
    {
        var (started, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var sourceOptions = new NbdSourceOptions { Client = new() { MaximumRequestsInFlight = RequestsUnderWay }, Connections = connections };
        await using var source = await NbdBlockSource.ConnectAsync(NbdAddress.Unix(socket), sourceOptions, cancellationToken);
        var requests = new Queue<(long Offset, int Length)>();
        await foreach (var extent in source.MapAsync(cancellationToken))
        {
            for (var at = extent.OffsetBytes; extent.Kind == BlockKind.Data && at < extent.OffsetBytes + extent.LengthBytes; at += options.RequestBytes)
                requests.Enqueue((at, (int)Math.Min(options.RequestBytes, extent.OffsetBytes + extent.LengthBytes - at)));
        }

        await Task.WhenAll(Enumerable.Range(0, RequestsUnderWay * connections).Select(_ => Task.Run(() => TakeAsync(source, requests, options.RequestBytes, cancellationToken), cancellationToken)));
        return new Usage(Stopwatch.GetElapsedTime(started).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, 0, 0);
    }

    private static async Task TakeAsync(NbdBlockSource source, Queue<(long Offset, int Length)> requests, int requestBytes, CancellationToken cancellationToken)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(requestBytes);
        while (true)
        {
            (long Offset, int Length) request;
            lock (requests)
            {
                if (!requests.TryDequeue(out request))
                    return;
            }

            await source.ReadAsync(request.Offset, buffer.AsMemory(0, request.Length), cancellationToken);
        }
    }

    private static async Task<Usage> CopyAsync(string socket, NbdBenchOptions options, int connections, CancellationToken cancellationToken)
    {
        string[] command =
        [
            "nbdcopy", $"--connections={connections}", $"--requests={RequestsUnderWay}", $"--request-size={options.RequestBytes}", $"nbd+unix:///?socket={socket}", "null:",
        ];
        return (await MeasuredProcess.RunAsync(new(command, Path.GetTempPath(), new Dictionary<string, string>()), cancellationToken)).Usage;
    }

    private static void Print(List<(int Connections, string Side, Usage Usage)> runs, NbdBenchOptions options)
    {
        Console.WriteLine("| connections | strongroom MB/s | nbdcopy MB/s | ratio | client CPU s | nbdcopy |");
        Console.WriteLine("|---:|---:|---:|---:|---:|---:|");
        foreach (var connections in options.Connections)
        {
            double Of(string side, Func<Usage, double> number) => Median.Of(runs.Where(run => run.Connections == connections && run.Side == side).Select(run => number(run.Usage)));
            var (ours, theirs) = (options.Disk.LengthBytes / 1e6 / Of(Ours, usage => usage.WallSeconds), options.Disk.LengthBytes / 1e6 / Of(Theirs, usage => usage.WallSeconds));
            var (ourCpu, theirCpu) = (Of(Ours, usage => usage.CpuSeconds), Of(Theirs, usage => usage.CpuSeconds));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {connections} | {ours:F0} | {theirs:F0} | **{ours / theirs:F2}** | {ourCpu:F2} | {theirCpu:F2} |"));
        }
    }
}
