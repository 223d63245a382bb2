using Strongroom.Bench.Iscsi;

namespace Strongroom.Bench.Tests;

public sealed class IscsiTableTests
{
    private static readonly IReadOnlyList<IscsiLoad> Loads = IscsiLoad.All(10, 1 << 30);

    [Fact]
    public void The_programs_are_asked_for_what_the_table_says()
    {
        Assert.Equal(["iscsi-perf", "-t", "10", "-b", "8", "-m", "32", "-r", "URL"], Loads[0].CommandOf("URL"));
        Assert.Equal(["iscsi-perf", "-t", "10", "-b", "256", "-m", "16", "URL"], Loads[1].CommandOf("URL"));
        Assert.Equal(["qemu-img", "bench", "-t", "none", "-f", "raw", "-c", "16384", "-d", "16", "-s", "65536", "URL"], Loads[2].CommandOf("URL"));
    }

    [Fact]
    public void Results_are_found_in_what_the_programs_write()
    {
        Assert.Equal(40274, Loads[0].Parse("iops current 39842 (155 MB/s)\riops average 40274 (157 MB/s)   \rfinished.\n"));
        Assert.Equal(8192, Loads[2].Parse("Sending 16384 read requests, 65536 bytes each, 16 in parallel\nRun completed in 2.000 seconds.\n"));
        Assert.Throws<InvalidDataException>(() => Loads[1].Parse("finished."));
    }

    [Fact]
    public void Medians_and_ratios_stand_in_the_table_whatever_they_are()
    {
        var table = new IscsiTable();
        foreach (var rate in (double[])[100, 900, 200])
            table.Add(Loads[0], false, IscsiTable.Ours, new(rate, rate / 10, 5_000_000));
        table.Add(Loads[0], false, IscsiTable.Theirs, new(400, 5, 7_000_000));
        Assert.Contains("| 4 KiB at random, 32 under way | cold | 200 | 400 | **0.50** | 1 | 2 | 20 | 5 | 5 | 7 |", table.ToMarkdown().Split(Environment.NewLine));
        Assert.Equal(4, table.ToJson().Count);
    }
}
