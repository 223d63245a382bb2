using System.Text.Json.Nodes;
using Strongroom.Bench.Disks;
using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Peers;

/// <summary>Compares backup programs step by step on the same disks, by turns, so that whatever else the machine does troubles all alike.</summary>
internal static class PeersBench
{
    private const string Ours = "strongroom";

    public static async Task<int> RunAsync(PeersOptions options, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"strongroom-peers-{Environment.ProcessId}")).FullName;
        try
        {
            string[] tools = [Ours, .. FindPeers(options.Peers)];
            var json = new JsonObject { ["machine"] = await Machine.DescribeAsync(tools, cancellationToken), ["rounds"] = options.Rounds };
            var cases = new JsonArray();
            foreach (var disk in options.Cases)
            {
                var table = await CompareAsync(disk, options, tools, folder, cancellationToken);
                Console.WriteLine(table.ToMarkdown());
                cases.Add((JsonNode)table.ToJson());
            }

            json["cases"] = cases;
            if (options.JsonPath is not null)
                await File.WriteAllTextAsync(options.JsonPath, json.ToJsonString(new() { WriteIndented = true }), cancellationToken);
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

    private static IEnumerable<string> FindPeers(IEnumerable<string> wanted)
    {
        foreach (var name in wanted)
        {
            if (Machine.IsOnPath(name))
                yield return name;
            else
                Console.Error.WriteLine($"{name} is not on the PATH and is left out (Debian has it).");
        }
    }

    private static async Task<PeersTable> CompareAsync(
        DiskCase disk, PeersOptions options, string[] tools, string folder, CancellationToken cancellationToken)
    {
        var states = new DiskStates(Path.Combine(folder, disk.Name));
        await Console.Error.WriteLineAsync($"{disk.Name}: making {disk.Disk.LengthBytes} bytes");
        var content = states.Make(disk);
        var table = new PeersTable(disk, content, tools);
        for (var number = 1; number <= options.Rounds; number++)
        {
            var round = new Round(Path.Combine(folder, $"{disk.Name}-{number}"), states.SourceFolder, states.ChangedPath);
            Directory.CreateDirectory(round.Folder);

            // Who goes first in a step changes from round to round.
            var order = tools.Select((_, i) => tools[(i + number) % tools.Length]).ToArray();
            await RunRoundAsync(round, states, options, order, table, cancellationToken);
            if (!options.Keep)
                Directory.Delete(round.Folder, recursive: true);
        }

        if (!options.Keep)
            Directory.Delete(states.Folder, recursive: true);
        return table;
    }

    private static async Task RunRoundAsync(
        Round round, DiskStates states, PeersOptions options, string[] order, PeersTable table, CancellationToken cancellationToken)
    {
        var tools = order.ToDictionary(name => name, name => Create(name, round, options));
        foreach (var tool in tools.Values)
            await tool.PrepareAsync(cancellationToken);
        foreach (var step in Enum.GetValues<Step>())
        {
            states.Show(isSecond: step != Step.FirstBackup);
            foreach (var name in order)
            {
                var tool = tools[name];
                PrepareStep(name, tool, step, options);
                await RunStepAsync(name, tool, step, states, table, cancellationToken);
            }
        }

        states.Show(isSecond: false);
        if (tools[Ours] is StrongroomTool ours && options.Reads > 0)
            table.AddReads(await ours.ReadAsync(states.ShownPath, options.Reads, cancellationToken));
    }

    private static void PrepareStep(string name, BackupTool tool, Step step, PeersOptions options)
    {
        // Told and not told of the changes, ours must begin alike: with the first recovery point alone.
        if (name == Ours && step == Step.SecondBackupKnown)
            FolderSize.Copy(tool.RepositoryFolder, FirstFolderOf(tool));
        if (name == Ours && step == Step.SecondBackup)
            SwapFolders(tool.RepositoryFolder, FirstFolderOf(tool));

        // Nobody shall wait for what the one before left unwritten.
        if (options.Settle)
            ResourceCalls.Sync();
    }

    private static string FirstFolderOf(BackupTool tool) => tool.RepositoryFolder + "-first";

    private static async Task RunStepAsync(
        string name, BackupTool tool, Step step, DiskStates states, PeersTable table, CancellationToken cancellationToken)
    {
        var before = FolderSize.Of(tool.RepositoryFolder);
        var usage = await tool.RunAsync(step, cancellationToken);
        if (usage is not null)
        {
            var added = step < Step.Restore ? FolderSize.Of(tool.RepositoryFolder) - before : (long?)null;
            table.Add(step, name, usage, added);
            await Console.Error.WriteLineAsync($"  {step} {name}: {usage}, adds {added}");
        }

        if (name == Ours && step == Step.SecondBackup)
        {
            SwapFolders(tool.RepositoryFolder, FirstFolderOf(tool));
            Directory.Delete(FirstFolderOf(tool), recursive: true);
        }

        if (step == Step.Restore)
            await CheckRestoredAsync(name, tool, states, table, cancellationToken);
    }

    private static async Task CheckRestoredAsync(
        string name, BackupTool tool, DiskStates states, PeersTable table, CancellationToken cancellationToken)
    {
        if (!await RawImage.AreSameAsync(states.ShownPath, tool.RestoredPath, cancellationToken))
            throw new InvalidDataException($"What {name} restored differs from the disk that it backed up.");
        using (var restored = new RawImage(tool.RestoredPath))
            table.AddRestored(name, await restored.CountDataAsync(cancellationToken));
        File.Delete(tool.RestoredPath);
    }

    private static void SwapFolders(string one, string other)
    {
        var between = one + "-swap";
        Directory.Move(one, between);
        Directory.Move(other, one);
        Directory.Move(between, other);
    }

    private static BackupTool Create(string name, Round round, PeersOptions options) => name switch
    {
        "restic" => new ResticTool(round),
        "borg" => new BorgTool(round),
        Ours => new StrongroomTool(round, options.StrongroomPath is { } path ? [path, "store"] : [MeasuredProcess.Self, "step"]),
        _ => throw new InvalidDataException($"'{name}' is not a peer; restic and borg are."),
    };
}
