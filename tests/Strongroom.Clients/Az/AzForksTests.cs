namespace Strongroom.Clients.Az;

/// <summary>A command of az in a fork says what it says in a process of its own.</summary>
public sealed class AzForksTests
{
    [Theory(Timeout = 300_000)]
    [InlineData("version")]
    [InlineData("backup vault list")]
    [InlineData("backup vault lost")]
    [InlineData("backup vault --help")]
    public async Task A_fork_answers_as_az_does(string commandLine)
    {
        using var plain = AzProgram.OfThisMachine(forked: false);
        using var forked = AzProgram.OfThisMachine();
        var expected = await plain.RunAsync(commandLine.Split(' '), TestContext.Current.CancellationToken);

        // Once with what the first fork imports, and once with what it left.
        for (var round = 0; round < 2; round++)
        {
            var actual = await forked.RunAsync(commandLine.Split(' '), TestContext.Current.CancellationToken);
            Assert.Equal((expected.ExitCode, expected.StandardOutput, expected.StandardError), (actual.ExitCode, actual.StandardOutput, actual.StandardError));
        }
    }
}
