using System.Text.RegularExpressions;

namespace Strongroom.Clients.Az;

/// <summary>docs/api-coverage.md lists every command of `az backup`, and what it says of one is what the stories play.</summary>
public sealed partial class AzCommandListTests
{
    [Theory(Timeout = 1_800_000)]
    [InlineData(AzEdition.Debian12)]
    [InlineData(AzEdition.Debian13)]
    public async Task The_document_lists_the_commands_that_az_has(AzEdition edition)
    {
        using var program = await AzProgram.OfAsync(edition, TestContext.Current.CancellationToken);

        var found = await CommandsAsync(program, ["backup"], TestContext.Current.CancellationToken);

        Assert.Equal(found.Order(StringComparer.Ordinal), (await RowsAsync()).Where(row => row.Result(edition) != "-").Select(row => row.Command).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_command_that_is_said_to_work_or_to_be_refused_is_in_a_story_and_any_other_has_its_reason()
    {
        var folder = Path.Combine(Repository.Root, "tests", "Strongroom.Clients", "Az");
        var stories = string.Concat(await Task.WhenAll(Directory.GetFiles(folder, "*.cs").Select(file => File.ReadAllTextAsync(file))));
        foreach (var row in await RowsAsync())
        {
            Assert.All((string[])[row.Az12, row.Az13], result => Assert.Contains(result, (string[])["yes", "refused", "no", "-"]));
            if (row.Az12 is "yes" or "refused" || row.Az13 is "yes" or "refused")
                Assert.Contains(row.Command, stories, StringComparison.Ordinal);
            if (row.Az12 != "yes" || row.Az13 != "yes")
                Assert.NotEqual("", row.Remarks);
        }
    }

    /// <summary>All commands below a group, from what its help lists.</summary>
    private static async Task<IReadOnlyList<string>> CommandsAsync(AzProgram program, string[] group, CancellationToken cancellationToken)
    {
        var help = (await program.RunAsync([.. group, "--help"], cancellationToken)).Succeeded().StandardOutput;
        List<string> commands = [];
        var heading = "";
        foreach (var line in help.Split('\n'))
        {
            if (line.Length > 0 && line[0] != ' ')
                heading = line.Trim();
            else if (Entry().Match(line) is { Success: true } entry && heading == "Subgroups:")
                commands.AddRange(await CommandsAsync(program, [.. group, entry.Groups["name"].Value], cancellationToken));
            else if (Entry().Match(line) is { Success: true } command && heading == "Commands:")
                commands.Add(string.Join(' ', [.. group, command.Groups["name"].Value]));
        }
        return commands;
    }

    private static async Task<IReadOnlyList<Row>> RowsAsync() =>
    [
        .. (await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "api-coverage.md")))
            .Select(line => CommandRow().Match(line))
            .Where(match => match.Success)
            .Select(match => new Row(match.Groups["command"].Value, match.Groups["az12"].Value, match.Groups["az13"].Value, match.Groups["remarks"].Value.Trim())),
    ];

    [GeneratedRegex(@"^ {4}(?<name>\S+)\s+(\[\w+\]\s+)?: ")]
    private static partial Regex Entry();

    [GeneratedRegex(@"^\| `(?<command>backup [^`]+)` \| (?<az12>\S+) \| (?<az13>\S+) \|(?<remarks>[^|]*)\|$")]
    private static partial Regex CommandRow();

    private sealed record Row(string Command, string Az12, string Az13, string Remarks)
    {
        public string Result(AzEdition edition) => edition is AzEdition.Debian12 ? Az12 : Az13;
    }
}
