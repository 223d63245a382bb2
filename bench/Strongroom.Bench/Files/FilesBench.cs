using System.Text.Json.Nodes;
using Strongroom.Bench.Measuring;
using Strongroom.Bench.Peers;

namespace Strongroom.Bench.Files;

/// <summary>Compares backup programs step by step on the same folder, by turns, so that whatever else the machine does troubles all alike.</summary>
internal static class FilesBench
{
    private const string Ours = "strongroom";

    // Files that changed less than 2 s ago are read again the next time: none shall be so near.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(FilesOptions options, CancellationToken cancellationToken)
    {
        if (options.SmallFiles < 1 || options.ChangedPercent is < 0 or > 100)
            throw new InvalidDataException("There must be a small file, and from 0 to 100 percent that change.");
        var folder = Directory.CreateDirectory(Path.Combine(options.Folder, $"strongroom-files-{Environment.ProcessId}")).FullName;
        try
        {
            string[] tools = [Ours, .. FindPeers(options.Peers)];
            var source = Path.Combine(folder, "source");
            var maker = new FilesMaker(source, options);
            await Console.Error.WriteLineAsync($"making {options.SmallFiles} small files and {options.LargeBytes} bytes of large ones");
            var bytes = maker.Make();
            var table = new FilesTable(tools);
            for (var number = 1; number <= options.Rounds; number++)
                await RunRoundAsync(Path.Combine(folder, $"round-{number}"), number, source, maker, options, tools, table, cancellationToken);
            Console.WriteLine($"{options.SmallFiles} small files and {options.LargeBytes / 1e6:F0} MB of large ones, {bytes / 1e6:F0} MB in all; then {options.ChangedPercent} % changed");
            Console.WriteLine();
            Console.WriteLine(table.ToMarkdown());
            if (options.JsonPath is not null)
            {
                var json = new JsonObject { ["machine"] = await Machine.DescribeAsync(tools, cancellationToken), ["bytes"] = bytes, ["steps"] = table.ToJson() };
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

    private static async Task RunRoundAsync(
        string round, int number, string source, FilesMaker maker, FilesOptions options, string[] tools, FilesTable table, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(round);

        // Who goes first in a step changes from round to round.
        var order = tools.Select((_, i) => tools[(i + number) % tools.Length]).ToArray();
        var all = order.ToDictionary(name => name, name => Create(name, round, source, maker.MiddleFile, options));
        foreach (var tool in all.Values)
            await tool.PrepareAsync(cancellationToken);
        foreach (var step in Enum.GetValues<FilesStep>())
        {
            if (step == FilesStep.Changed)
                maker.Change(number);
            if (step is FilesStep.First or FilesStep.Changed)
                await Task.Delay(Settling, cancellationToken);
            foreach (var name in order)
                await RunStepAsync(step, name, all[name], options.Settle, table, cancellationToken);
        }

        foreach (var name in order)
            await CheckAsync(name, all[name], source, maker.MiddleFile, cancellationToken);

        // Not before all have restored: a file system may be slow to use again what was just deleted.
        if (!options.Keep)
            Directory.Delete(round, recursive: true);
    }

    private static FilesTool Create(string name, string round, string source, string middleFile, FilesOptions options) => name switch
    {
        Ours => new StrongroomFiles(options.Strongroom, round, source, middleFile),
        "restic" => new ResticFiles(round, source, middleFile),
        "borg" => new BorgFiles(round, source, middleFile),
        _ => throw new InvalidDataException($"There is no peer '{name}'; there are restic and borg."),
    };

    private static async Task RunStepAsync(FilesStep step, string name, FilesTool tool, bool settles, FilesTable table, CancellationToken cancellationToken)
    {
        // Nobody shall wait for what the one before left unwritten.
        if (settles)
            ResourceCalls.Sync();
        var before = FolderSize.Of(tool.RepositoryFolder);
        var usage = await tool.RunAsync(step, cancellationToken);
        var added = FolderSize.Of(tool.RepositoryFolder) - before;
        table.Add(step, name, usage, added);
        await Console.Error.WriteLineAsync($"  {step} {name}: {usage}, adds {added}");
    }

    private static async Task CheckAsync(string name, FilesTool tool, string source, string middleFile, CancellationToken cancellationToken)
    {
        var files = Directory.GetFiles(source, "*", SearchOption.AllDirectories);
        if (Directory.GetFiles(tool.RestoredFolder, "*", SearchOption.AllDirectories).Length != files.Length)
            throw new InvalidDataException($"What {name} restored is not all files, or more.");
        foreach (var file in files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!await AreSameAsync(file, Path.Combine(tool.RestoredFolder, Path.GetRelativePath(source, file)), cancellationToken))
                throw new InvalidDataException($"What {name} restored of '{file}' differs from it.");
        }

        if (!await AreSameAsync(Path.Combine(source, middleFile), tool.RestoredFile, cancellationToken))
            throw new InvalidDataException($"The one file that {name} restored differs.");
    }

    private static async Task<bool> AreSameAsync(string one, string other, CancellationToken cancellationToken)
    {
        const int BlockBytes = 1 << 20;
        using var left = File.OpenHandle(one);
        using var right = File.OpenHandle(other);
        var length = RandomAccess.GetLength(left);
        if (RandomAccess.GetLength(right) != length || File.GetLastWriteTimeUtc(left) != File.GetLastWriteTimeUtc(right))
            return false;
        var (first, second) = (new byte[Math.Min(BlockBytes, length)], new byte[Math.Min(BlockBytes, length)]);
        for (var offset = 0L; offset < length; offset += BlockBytes)
        {
            var count = await RandomAccess.ReadAsync(left, first, offset, cancellationToken);
            if (await RandomAccess.ReadAsync(right, second, offset, cancellationToken) != count || !first.AsSpan(0, count).SequenceEqual(second.AsSpan(0, count)))
                return false;
        }

        return true;
    }
}
