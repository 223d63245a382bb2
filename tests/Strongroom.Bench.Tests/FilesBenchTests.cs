using System.Text.Json.Nodes;
using Strongroom.Bench.Files;
using Repository = Strongroom.Clients.Repository;

namespace Strongroom.Bench.Tests;

/// <summary>The whole of `files` on a small folder.</summary>
public sealed class FilesBenchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public FilesBenchTests()
    {
        Directory.CreateDirectory(folder["text"]);
        for (var i = 0; i < 30; i++)
            File.WriteAllText(folder[$"text/{i}"], string.Join(' ', Enumerable.Range(i * 70_000, 60_000)));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Backups_and_restores_of_a_folder_are_measured_and_only_the_numbers_left()
    {
        var options = new FilesOptions(
            250, 24 << 20, 4, folder["text"], ["restic", "borg"], Rounds: 1, folder.Path, Settle: false, Keep: false, Repository.ServerExecutable, folder["numbers.json"]);

        Assert.Equal(0, await FilesBench.RunAsync(options, TestContext.Current.CancellationToken));

        var json = JsonNode.Parse(await File.ReadAllTextAsync(folder["numbers.json"], TestContext.Current.CancellationToken))!;
        var ours = json["steps"]!.AsArray().Where(step => (string)step!["tool"]! == "strongroom").ToDictionary(step => (string)step!["step"]!, step => step!["runs"]![0]!);
        Assert.Equal(Enum.GetNames<FilesStep>().Order(), ours.Keys.Order());

        // Half of the large files does not compress, nor do the changes: 10 small files and 16 pieces of 64 KiB, each in a chunk of up to 4 MiB.
        Assert.InRange((long)ours["First"]["addedBytes"]!, 8 << 20, 26 << 20);
        Assert.InRange((long)ours["Unchanged"]["addedBytes"]!, 1, 100_000);
        Assert.InRange((long)ours["Changed"]["addedBytes"]!, 1 << 20, 26 << 20);
        Assert.True((double)ours["OneFile"]["wallSeconds"]! > 0);
        Assert.Equal(["numbers.json", "text"], new DirectoryInfo(folder.Path).EnumerateFileSystemInfos().Select(entry => entry.Name).Order());
    }

    [Fact]
    public void The_table_shows_medians_and_how_many_times_ours_a_peer_takes()
    {
        var table = new FilesTable(["strongroom", "restic"]);
        foreach (var seconds in (double[])[9, 2, 1])
            table.Add(FilesStep.First, "strongroom", new(seconds, seconds / 2, 50_000_000, 0), 3_000_000);
        table.Add(FilesStep.First, "restic", new(5, 4, 100_000_000, 0), 6_000_000);

        var lines = table.ToMarkdown().Split(Environment.NewLine);

        Assert.Contains("| first backup | wall s | 2.00 | 5.00 (×2.5) |", lines);
        Assert.Contains("|  | CPU s | 1.00 | 4.00 (×4.0) |", lines);
        Assert.Contains("|  | adds MB | 3.0 | 6.0 (×2.0) |", lines);
        Assert.Contains("| restore of one file | wall s | – | – |", lines);
    }
}
