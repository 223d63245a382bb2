using Spectre.Console;

namespace Strongroom.Demo.Tests;

public sealed class StoryReportTests
{
    private static readonly StepMeasure[] Measures =
    [
        new("web1, first backup", 300_000_000, 200_000_000, 100_000_000, 40_000_000, TimeSpan.FromSeconds(2)),
        new("web1, second backup", 300_000_000, 6_000_000, 6_000_000, 3_000_000, TimeSpan.FromSeconds(1.5)),
        new("web1, first restore", 300_000_000, null, null, null, TimeSpan.Zero),
    ];

    [Fact]
    public void Each_step_shows_its_bytes_ratios_time_and_speed()
    {
        var lines = Render(new StoryOutcome(Measures, 1, 2, 6_000_000, 3_000_000, []));

        Assert.Equal(["300.0", "200.0", "40.0", "2.00x", "2.50x", "2.0", "150"], Row(lines, "web1, first backup"));
        Assert.Equal(["300.0", "6.0", "3.0", "1.00x", "2.00x", "1.5", "200"], Row(lines, "web1, second backup"));
    }

    [Fact]
    public void What_is_not_known_is_a_dash() =>
        Assert.Equal(
            ["300.0", "-", "-", "-", "-", "0.0", "-"],
            Row(Render(new StoryOutcome(Measures, 1, 2, 6_000_000, 3_000_000, [])), "web1, first restore"));

    [Fact]
    public void The_proof_says_how_many_disks_and_what_the_change_cost()
    {
        var proof = StoryReport.Proof(new StoryOutcome(Measures, 1, 2, 5_500_000, 3_000_000, []));

        Assert.Contains("all 2 restored disks of 1 machines", proof, StringComparison.Ordinal);
        Assert.Contains("5.5 MB changed, and the second backup stored 3.0 MB", proof, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_numbers_from_the_server_the_proof_claims_nothing_of_storage() =>
        Assert.DoesNotContain("second backup", StoryReport.Proof(new StoryOutcome(Measures, 1, 2, 1, null, [])), StringComparison.Ordinal);

    [Fact]
    public void A_difference_is_named_and_nothing_is_proven()
    {
        var text = string.Join('\n', Render(new StoryOutcome(
            Measures, 1, 2, 1, 1, [new DiskDifference("web1/[00]-os.raw", "first point", "it is [red]too short")])));

        Assert.Contains("web1/[00]-os.raw, first point: it is [red]too short", text, StringComparison.Ordinal);
        Assert.Contains("Not proven: 1 of 2", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Proven:", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_fits_a_terminal_of_eighty_columns() =>
        Assert.All(Render(new StoryOutcome(Measures, 1, 2, 6_000_000, 3_000_000, [])).Where(line => !line.StartsWith("Proven", StringComparison.Ordinal)),
            line => Assert.InRange(line.TrimEnd().Length, 0, 80));

    private static string[] Render(StoryOutcome outcome)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 200;
        StoryReport.Write(console, outcome);
        return output.ToString().Split('\n');
    }

    private static string[] Row(string[] lines, string start) =>
        lines.Single(line => line.TrimStart().StartsWith(start, StringComparison.Ordinal))
            .Trim()[start.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
