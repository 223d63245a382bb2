using System.Text.Json.Nodes;
using Strongroom.Bench.Live;

namespace Strongroom.Bench.Tests;

public sealed class LiveTableTests
{
    // 90 writes up to 100 µs, 9 up to 200 µs, and one beyond 300 µs.
    private static readonly WriteLatency Latency = new([100_000, 200_000, 300_000], [90, 9, 0, 1]);

    [Fact]
    public void A_percentile_is_the_end_of_the_bin_that_has_it()
    {
        Assert.Equal(100, Latency.Writes);
        Assert.Equal(100, Latency.Percentile(0.5));
        Assert.Equal(100, Latency.Percentile(0.9));
        Assert.Equal(200, Latency.Percentile(0.91));
        Assert.Equal(200, Latency.Percentile(0.99));
        Assert.Null(Latency.Percentile(1));
        Assert.Null(new WriteLatency([100_000], [0, 0]).Percentile(0.5));
    }

    [Fact]
    public void A_histogram_of_qemu_is_read()
    {
        var read = WriteLatency.Parse(JsonNode.Parse("""{"boundaries": [10, 50, 100], "bins": [3, 1, 0, 2]}""")!);
        Assert.Equal([10, 50, 100], read.BoundariesNanoseconds);
        Assert.Equal([3, 1, 0, 2], read.Counts);
    }

    [Fact]
    public void Medians_of_all_tools_stand_in_the_table_beside_each_other()
    {
        var table = new LiveTable();
        foreach (var seconds in (double[])[1, 9, 2])
            table.Add(LiveStep.Second, "b", new(seconds, seconds / 2, 0.25, 3_000_000, 2_000_000));
        table.Add(LiveStep.Second, "a", new(4, 3, 0.5, 7_000_000, 6_000_000));
        table.Add(LiveTable.NoBackup, Latency);
        table.Add("a", new([100_000], [0, 1]));

        var lines = table.ToMarkdown().Split(Environment.NewLine);
        Assert.Contains("| backup | | a | b |", lines);
        Assert.Contains("| second | wall s | 4.00 | 2.00 |", lines);
        Assert.Contains("|  | its CPU s | 3.00 | 1.00 |", lines);
        Assert.Contains("|  | read MB | 7 | 3 |", lines);
        Assert.Contains("| no backup | 100 | 100 | 200 |", lines);
        Assert.Contains("| full backup by a | 1 | – | – |", lines);
        Assert.DoesNotContain(lines, line => line.Contains("our jobs", StringComparison.Ordinal));
        Assert.Equal(4, table.ToJson()["backups"]!.AsArray().Count);
        Assert.Equal(2, table.ToJson()["writes"]!.AsArray().Count);
    }

    [Fact]
    public void Ours_comes_first_with_what_its_jobs_say_and_the_others_are_told_in_times_of_it()
    {
        var table = new LiveTable();
        table.Add(LiveStep.First, "peer", new(10, 3, 0.5, 0, 6_000_000));
        table.Add(LiveStep.First, "strongroom", new(4, 2, 0.5, 0, 3_000_000, new(3.9, 0.5, 3.25, 7_000_000, 3_000_000, 42)));
        table.Add(LiveStep.Second, "peer", new(1, 1, 1, 1, 1));

        var lines = table.ToMarkdown().Split(Environment.NewLine);
        Assert.Contains("| backup | | strongroom | peer |", lines);
        Assert.Contains("| first | wall s | 4.00 | 10.00 (×2.5) |", lines);
        // Nothing is no measure.
        Assert.Contains("|  | read MB | 0 | 0 |", lines);
        Assert.Contains("| second | wall s | – | 1.00 |", lines);
        Assert.Contains("| first | 3.90 | 0.50 | 3.25 | 42 | 7 | 3 |", lines);
    }

    [Fact]
    public void What_a_job_says_is_read()
    {
        var job = LiveJob.Parse(JsonNode.Parse(
            """
            {"properties": {"duration": "PT1M2.5S", "extendedInfo": {
              "tasksList": [{"taskId": "Take Snapshot", "duration": "PT0.75S"}, {"taskId": "Transfer data to vault", "duration": "PT1M1S"}],
              "internalPropertyBag": {"strongroom.bytesRead": "5000", "strongroom.bytesStored": "3000", "strongroom.frozenMilliseconds": "41"}}}}
            """)!);
        Assert.Equal(new(62.5, 0.75, 61, 5000, 3000, 41), job);
    }
}
