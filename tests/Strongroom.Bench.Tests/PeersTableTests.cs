using System.Text.Json.Nodes;
using Strongroom.Bench.Measuring;
using Strongroom.Bench.Peers;

namespace Strongroom.Bench.Tests;

public sealed class PeersTableTests
{
    private readonly PeersTable table = new(
        new("mixed", new(1000, 1, 1, 1, 1, "/usr"), new(2, 65536, 2, "/usr")), (1, 1, 1), ["strongroom", "restic"]);

    [Theory]
    [InlineData(new[] { 3.0, 1.0, 2.0 }, 2.0)]
    [InlineData(new[] { 4.0, 1.0, 2.0, 3.0 }, 2.5)]
    [InlineData(new[] { 7.0 }, 7.0)]
    public void The_median_is_the_middle(double[] values, double median) => Assert.Equal(median, Median.Of(values));

    [Fact]
    public void A_row_shows_medians_and_how_many_times_ours_a_peer_takes()
    {
        foreach (var seconds in (double[])[9, 2, 1])
            table.Add(Step.FirstBackup, "strongroom", new(seconds, seconds / 2, 50_000_000, 0), 3_000_000);
        table.Add(Step.FirstBackup, "restic", new(5, 4, 100_000_000, 0), 6_000_000);

        var lines = table.ToMarkdown().Split(Environment.NewLine);

        Assert.Contains("| first backup | wall s | 2.00 | 5.00 (×2.5) |", lines);
        Assert.Contains("|  | CPU s | 1.00 | 4.00 (×4.0) |", lines);
        Assert.Contains("|  | peak RSS MB | 50 | 100 (×2.0) |", lines);
        Assert.Contains("|  | adds MB | 3.0 | 6.0 (×2.0) |", lines);
        Assert.Contains("| restore | wall s | – | – |", lines);
    }

    [Fact]
    public void Where_a_peer_cannot_be_told_of_changes_its_full_run_stands_beside_ours()
    {
        table.Add(Step.SecondBackupKnown, "strongroom", new(1, 1, 1, 0), 1_000_000);
        table.Add(Step.SecondBackup, "strongroom", new(2, 2, 1, 0), 1_000_000);
        table.Add(Step.SecondBackup, "restic", new(8, 8, 1, 0), 1_000_000);

        var lines = table.ToMarkdown().Split(Environment.NewLine);

        Assert.Contains("| second, changes known | wall s | 1.00 | 8.00 (×8.0) |", lines);
        Assert.Contains("| second, changes not known | wall s | 2.00 | 8.00 (×4.0) |", lines);
    }

    [Fact]
    public void Every_run_is_in_the_json()
    {
        table.Add(Step.Verify, "restic", new(8, 7, 6, 0), null);
        table.Add(Step.Verify, "restic", new(10, 7, 6, 0), null);
        table.AddReads(JsonNode.Parse("""{"reads":1}""")!);

        var json = JsonNode.Parse(table.ToJson().ToJsonString())!;

        var step = json["steps"]![0]!;
        Assert.Equal(9, step["medianWallSeconds"]!.GetValue<double>());
        Assert.Equal([8, 10], step["runs"]!.AsArray().Select(run => run!["wallSeconds"]!.GetValue<double>()));
        Assert.Equal(1, json["reads"]![0]!["reads"]!.GetValue<int>());
    }
}
