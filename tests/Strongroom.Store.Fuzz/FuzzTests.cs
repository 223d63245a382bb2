namespace Strongroom.Store.Fuzz;

public sealed class FuzzTests
{
    private const long Inputs = 10_000;

    public static TheoryData<string> Names => [.. AllTargets.List.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_but_the_stores_own_exception_comes_out_of_a_parser(string name)
    {
        var target = AllTargets.List.Single(target => target.Name == name);
        var report = FuzzLoop.Run(target, Inputs, TimeSpan.FromSeconds(20), seed: 1);

        // Most mutations must be refused somewhere, and some must not: otherwise the harness does not reach the parser.
        Assert.InRange(report.Refused, 1, report.Inputs - 1);
    }
}
