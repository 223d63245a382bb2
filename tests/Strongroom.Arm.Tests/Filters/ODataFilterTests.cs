using CsCheck;

namespace Strongroom.Arm.Tests.Filters;

public sealed class ODataFilterTests
{
    private static readonly Gen<(string Key, string Value)[]> s_pairs = Gen.Select(
        Gen.Char["abcDEFxyz"].Array[1, 8].Select(c => new string(c)),
        Gen.Char["abc '()=,;é+%"].Array[0, 10].Select(c => new string(c))).Array[1, 5]
        .Select(pairs => pairs.DistinctBy(p => p.Item1, StringComparer.OrdinalIgnoreCase).ToArray());

    [Fact]
    public void Any_keys_and_values_come_back() => Gen.Select(s_pairs, Gen.Int[1, 3], Gen.Bool).Sample((pairs, blanks, isUpper) =>
    {
        string blank = new(' ', blanks);
        string text = string.Join($"{blank}{(isUpper ? "AND" : "and")}{blank}", pairs.Select(p => $"{p.Key}{blank}{(isUpper ? "EQ" : "eq")}{blank}'{p.Value.Replace("'", "''", StringComparison.Ordinal)}'"));
        ODataFilter filter = ODataFilter.Parse(text);
        Assert.Equal(pairs.Length, filter.Keys.Count);
        foreach ((string key, string value) in pairs)
        {
            Assert.Equal(value, filter[key.ToUpperInvariant()]);
            Assert.True(filter.Allows(key, value.ToUpperInvariant().ToLowerInvariant()) || value.Contains('é', StringComparison.Ordinal));
            Assert.False(filter.Allows(key, value + "x"));
        }
    });

    [Fact]
    public void Any_text_is_read_or_refused_with_400() => Gen.String.Sample(text =>
    {
        try
        {
            ODataFilter.Parse(text);
        }
        catch (ArmException refusal)
        {
            Assert.Equal((400, "InvalidFilterInQueryString"), (refusal.Status, refusal.Code));
        }
    });

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void No_filter_allows_everything(string? text)
    {
        ODataFilter filter = ODataFilter.Parse(text);
        Assert.Empty(filter.Keys);
        Assert.True(filter.Allows("anything", "x"));
    }

    [Theory]
    [InlineData("backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'", "itemtype", "VM")]
    [InlineData("startTime eq '2023-01-31 05:00:00 PM'", "startTime", "2023-01-31 05:00:00 PM")]
    [InlineData("name eq 'O''Brien'", "name", "O'Brien")]
    [InlineData("moveReadyRPOnly eq true", "moveReadyRPOnly", "true")]
    [InlineData("count eq -12.5", "count", "-12.5")]
    [InlineData("a eq 'x and b eq y'", "a", "x and b eq y")]
    [InlineData("a eq''", "a", "")]
    public void Forms_that_clients_send_are_read(string text, string key, string value) => Assert.Equal(value, ODataFilter.Parse(text)[key]);

    [Theory]
    [InlineData("a ne 'x'")]
    [InlineData("a eq 'x' or b eq 'y'")]
    [InlineData("(a eq 'x')")]
    [InlineData("startswith(a,'x')")]
    [InlineData("a eq x")]
    [InlineData("a eq 'x")]
    [InlineData("a eq 'x' and")]
    [InlineData("a eq 'x'and b eq 'y'")]
    [InlineData("a eq 'x' b")]
    [InlineData("a eq")]
    [InlineData("aeq 'x'")]
    [InlineData("'x' eq a")]
    [InlineData("a eq 'x' and A eq 'y'")]
    public void Everything_else_is_refused(string text) => Assert.Equal("InvalidFilterInQueryString", Assert.Throws<ArmException>(() => ODataFilter.Parse(text)).Code);

    [Fact]
    public void Too_long_a_filter_is_refused_and_not_repeated()
    {
        ArmException refusal = Assert.Throws<ArmException>(() => ODataFilter.Parse("a eq '" + new string('x', ODataFilter.MaxLength) + "'"));
        Assert.True(refusal.Message.Length < 400);
    }

    [Fact]
    public void A_key_that_a_list_does_not_know_is_refused()
    {
        ODataFilter filter = ODataFilter.Parse("status eq 'x'");
        Assert.Same(filter, filter.OnlyKeys("Status", "operation"));
        Assert.Contains("status", Assert.Throws<ArmException>(() => filter.OnlyKeys("operation")).Message, StringComparison.Ordinal);
    }
}
