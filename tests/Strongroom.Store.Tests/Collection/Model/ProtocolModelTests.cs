namespace Strongroom.Store.Tests.Collection.Model;

/// <summary>
/// The commit and collection protocol, checked in every state that a small number of processes can bring about. What a log means and whether an
/// entry holds is decided by the real code; processes, storage and manifests are a model.
/// </summary>
public sealed class ProtocolModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(2, new[] { 1, 1 }, new[] { 1 })]
    [InlineData(2, new[] { 1 }, new[] { 1, 1 })]
    [InlineData(2, new[] { 2 }, new[] { 2 })]
    [InlineData(2, new[] { 1, 1 }, new[] { 2 })]
    public void No_live_snapshot_ever_misses_a_chunk_and_all_garbage_can_be_collected(int purges, int[] sessions, int[] runs) =>
        AssertGood(new(purges, [.. sessions], [.. runs]));

    /// <summary>Two minutes and 2 GB, so only when asked for.</summary>
    [Fact(Explicit = true)]
    public void Nor_with_two_writers_and_two_collectors_at_once() => AssertGood(new(1, [1, 1], [1, 1]));

    [Theory]
    [MemberData(nameof(Mutants))]
    public void The_check_notices_when_a_rule_is_left_out(string name)
    {
        var mutant = Enum.Parse<ModelMutant>(name);
        foreach (var size in (ModelSize[])[new(2, [1], [1]), new(2, [1, 1], [1]), new(2, [1], [1, 1]), new(2, [1], [2]), new(1, [1], [1, 2])])
        {
            var explorer = new ModelExplorer(size, mutant);
            if (explorer.Explore() is not { } wrong)
                continue;
            output.WriteLine($"{wrong} (after {explorer.Worlds} worlds)");
            return;
        }

        Assert.Fail($"Nothing goes wrong with {mutant}.");
    }

    public static TheoryData<string> Mutants => [.. Enum.GetNames<ModelMutant>().Where(name => name != nameof(ModelMutant.None))];

    private void AssertGood(ModelSize size)
    {
        var explorer = new ModelExplorer(size, ModelMutant.None);
        var wrong = explorer.Explore();
        output.WriteLine($"{explorer.Worlds} worlds, {explorer.Collections} quiet collections");
        Assert.Null(wrong);
        Assert.True(explorer.Worlds > 10_000);
    }
}
