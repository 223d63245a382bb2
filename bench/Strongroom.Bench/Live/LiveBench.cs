using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;
using Strongroom.Bench.Peers;
using Strongroom.Libvirt.Guests;
using Strongroom.Libvirt.Hosts;
using Strongroom.Libvirt.Machines;

namespace Strongroom.Bench.Live;

/// <summary>Backs machines up by several tools, by turns, while they run, each the one that is its own and like the others: all of a disk, then what its guest changed; and what its guest's writes take meanwhile.</summary>
internal static class LiveBench
{
    private const int ChangeBytes = 64 << 10;

    public static async Task<int> RunAsync(LiveOptions options, CancellationToken cancellationToken)
    {
        var guest = await LiveGuest.FindAsync(cancellationToken);
        // Short: sockets are below it, and the path of one has 107 bytes at the most.
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"live-{Environment.ProcessId}")).FullName;
        try
        {
            var disk = await MakeDiskAsync(options, folder, cancellationToken);
            var table = new LiveTable();
            for (var number = 0; number < options.Rounds; number++)
            {
                var round = Directory.CreateDirectory(Path.Combine(folder, $"{number}")).FullName;
                await RunRoundAsync(number, guest, disk, round, options, table, cancellationToken);
                if (!options.Keep)
                    Directory.Delete(round, recursive: true);
            }

            Console.WriteLine(table.ToMarkdown());
            if (options.JsonPath is not null)
            {
                var json = table.ToJson();
                json["machine"] = await Machine.DescribeAsync(["qemu-system-x86_64", "virsh", "restic"], cancellationToken);
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

    /// <summary>Who is compared. One that is not installed is left out.</summary>
    private static LiveToolKind[] FindTools(string strongroom)
    {
        LiveToolKind[] all =
        [
            new(StrongroomLiveTool.OurName, File.Exists(strongroom), scene => new StrongroomLiveTool(scene, strongroom)),
            new("virtnbdbackup", Peers.Machine.IsOnPath("virtnbdbackup"), scene => new VirtNbdBackupTool(scene)),
            new("restic", Peers.Machine.IsOnPath("restic"), scene => new ResticDiskTool(scene)),
        ];
        return [.. all.Where(kind => kind.IsInstalled)];
    }

    private static async Task<string> MakeDiskAsync(LiveOptions options, string folder, CancellationToken cancellationToken)
    {
        await Console.Error.WriteLineAsync($"making {options.Disk.LengthBytes} bytes");
        string raw = Path.Combine(folder, "disk.raw"), qcow2 = Path.Combine(folder, "disk.qcow2");
        var (_, files, random) = DiskMaker.Make(raw, options.Disk);
        (await CommandResult.RunAsync(Peer.RequireOrSkip("qemu-img", "qemu-utils"), ["convert", "-f", "raw", "-O", "qcow2", raw, qcow2], null, cancellationToken)).Succeeded();
        File.Delete(raw);
        await Console.Error.WriteLineAsync($"{files} of files, {random} random");
        return qcow2;
    }

    private static async Task RunRoundAsync(int number, LiveGuest guest, string template, string folder, LiveOptions options, LiveTable table, CancellationToken cancellationToken)
    {
        var hostFolder = Directory.CreateDirectory(Path.Combine(folder, "host")).FullName;
        await using var host = await Libvirtd.StartAsync(cancellationToken, hostFolder);
        var kinds = FindTools(options.Strongroom);
        if (kinds.Length == 0)
            throw new InvalidOperationException("No tool is there (ours; Debian: virtnbdbackup, restic).");
        var tools = new List<LiveTool>();
        try
        {
            // Who goes first changes from round to round.
            foreach (var kind in (LiveToolKind[])[.. kinds.Skip(number % kinds.Length), .. kinds.Take(number % kinds.Length)])
            {
                // A machine for each: virtnbdbackup refuses one that has checkpoints of others.
                var disk = Path.Combine(host.Folders.Disks, $"of-{kind.Name}-data.qcow2");
                var machine = await StartMachineAsync(host, guest, $"of-{kind.Name}", template, disk, cancellationToken);
                var tool = kind.Create(new(machine, new("vdb", disk, DiskKind.Qcow2), folder));
                tools.Add(tool);
                await tool.PrepareAsync(cancellationToken);
            }

            await MeasureAsync(tools, options, table, cancellationToken);
        }
        finally
        {
            foreach (var tool in tools)
                await tool.DisposeAsync();
        }
    }

    private static async Task MeasureAsync(List<LiveTool> tools, LiveOptions options, LiveTable table, CancellationToken cancellationToken)
    {
        var changes = (long)(options.Disk.LengthBytes * options.ChangedPercent / 100 / ChangeBytes);
        foreach (var tool in tools)
            await BackUpAsync(tool, LiveStep.First, table, cancellationToken);
        foreach (var tool in tools)
            await ChangeAsync(tool.Scene, changes, cancellationToken);
        foreach (var tool in tools)
            await BackUpAsync(tool, LiveStep.Second, table, cancellationToken);

        foreach (var tool in tools)
        {
            // Before and after: the more of the disk is in use, the less a write has to allocate.
            await WatchWritesAsync(tool.Scene, LiveTable.NoBackup, () => Task.Delay(options.Quiet / 2, cancellationToken), table, cancellationToken);
            await WatchWritesAsync(tool.Scene, tool.Name, () => BackUpAsync(tool, LiveStep.Apart, table, cancellationToken), table, cancellationToken);
            await WatchWritesAsync(tool.Scene, LiveTable.NoBackup, () => Task.Delay(options.Quiet / 2, cancellationToken), table, cancellationToken);
        }
    }

    /// <summary>By the guest, a few at a time: a command in it has a time limit.</summary>
    private static async Task ChangeAsync(LiveScene scene, long changes, CancellationToken cancellationToken)
    {
        const long AtATime = 500;
        for (; changes > 0; changes -= AtATime)
            (await scene.Machine.RunAsync($"scatter /dev/{scene.Disk.Target} {Math.Min(changes, AtATime)}", cancellationToken)).Succeeded();
    }

    private static async Task<LiveMachine> StartMachineAsync(Libvirtd host, LiveGuest guest, string name, string template, string disk, CancellationToken cancellationToken)
    {
        var machine = await LiveMachine.DefineAsync(host, guest, new(name), cancellationToken);
        File.Copy(template, disk);
        (await host.VirshAsync(["attach-disk", name, disk, "vdb", "--driver", "qemu", "--subdriver", "qcow2", "--targetbus", "virtio", "--config"], cancellationToken)).Succeeded();
        await machine.StartAsync(cancellationToken);
        return machine;
    }

    private static async Task BackUpAsync(LiveTool tool, LiveStep step, LiveTable table, CancellationToken cancellationToken)
    {
        // Nobody shall wait for what the one before left unwritten.
        ResourceCalls.Sync();
        var qemu = tool.Scene.Machine.QemuProcessId ?? throw new InvalidOperationException("The machine ended.");
        var (before, stored) = (ProcessCounters.Read(qemu), FolderSize.Of(tool.RepositoryOf(step)));
        var usage = await tool.BackupAsync(step, cancellationToken);
        var of = ProcessCounters.Read(qemu) - before;
        var run = new LiveRun(
            usage.WallSeconds, usage.CpuSeconds, of.CpuSeconds, tool.ReadsThroughQemu ? of.ReadBytes : usage.ReadBytes, FolderSize.Of(tool.RepositoryOf(step)) - stored, usage.Job);
        table.Add(step, tool.Name, run);
        await Console.Error.WriteLineAsync($"  {step}, {tool.Name}: {run}");
    }

    private static async Task WatchWritesAsync(LiveScene scene, string during, Func<Task> meanwhile, LiveTable table, CancellationToken cancellationToken)
    {
        var load = await scene.Machine.Agent.StartAsync("/bin/load", [$"/dev/{scene.Disk.Target}"], cancellationToken);
        await WriteLatency.StartAsync(scene.Machine, scene.Disk, cancellationToken);
        await meanwhile();
        var latency = await WriteLatency.ReadAsync(scene.Machine, scene.Disk, cancellationToken);
        (await scene.Machine.RunAsync($"kill {load}", cancellationToken)).Succeeded();
        (await scene.Machine.Agent.WaitForEndAsync("load", load, cancellationToken)).Succeeded();
        table.Add(during, latency);
        await Console.Error.WriteLineAsync($"  writes, {during}: {latency.Writes}, p50 {latency.Percentile(0.5)} µs, p99 {latency.Percentile(0.99)} µs");
    }
}
