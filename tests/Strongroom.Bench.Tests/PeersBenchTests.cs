using System.Text.Json.Nodes;
using Strongroom.Bench.Peers;

namespace Strongroom.Bench.Tests;

public sealed class PeersBenchTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public PeersBenchTests()
    {
        Directory.CreateDirectory(folder["source"]);
        for (var i = 0; i < 30; i++)
            File.WriteAllText(folder[$"source/{i}"], string.Join(' ', Enumerable.Range(i * 70_000, 60_000)));
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Our_own_steps_restore_what_they_back_up_and_leave_only_the_numbers()
    {
        var disk = new DiskCase("small", new(24 << 20, 40, 30, 30, 1, folder["source"]), new(4, 64 << 10, 2, folder["source"]));
        var options = new PeersOptions([disk], Peers: [], Rounds: 1, Reads: 40, folder.Path, Settle: false, Keep: false, StrongroomPath: null, folder["numbers.json"]);

        Assert.Equal(0, await PeersBench.RunAsync(options, TestContext.Current.CancellationToken));

        var json = JsonNode.Parse(await File.ReadAllTextAsync(folder["numbers.json"], TestContext.Current.CancellationToken))!["cases"]![0]!;
        var added = json["steps"]!.AsArray().ToDictionary(
            step => step!["step"]!.GetValue<string>(), step => step!["runs"]![0]!["addedBytes"]?.GetValue<long>());
        Assert.Equal(Enum.GetNames<Step>().Order(), added.Keys.Order());

        // 15 changes of 64 KiB, 7 of them random bytes; in a chunk of 256 KiB each at the most.
        Assert.InRange(added["FirstBackup"]!.Value, 7 << 20, 24 << 20);
        Assert.InRange(added["SecondBackupKnown"]!.Value, 448 << 10, 5 << 20);
        Assert.InRange(added["SecondBackup"]!.Value, 448 << 10, 5 << 20);
        Assert.True(json["reads"]![0]!["cpuMicrosecondsPerDataRead"]!.GetValue<double>() > 0);
        Assert.Equal(["numbers.json", "source"], new DirectoryInfo(folder.Path).EnumerateFileSystemInfos().Select(entry => entry.Name).Order());
    }
}
