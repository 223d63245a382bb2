using System.Text;
using System.Text.Json.Nodes;

namespace Strongroom.Clients.BadInput;

/// <summary>
/// Nonsense sent to every endpoint: the answer is an error of the right shape and status, never a 500, and nothing changes.
/// </summary>
public sealed class BadInputTests(BadInputLab lab) : IClassFixture<BadInputLab>
{
    private const string Version = "2024-04-01";
    private const int MostShown = 20;

    /// <summary>An unsigned token, and one signed by nobody we know, for an administrator who does not exist.</summary>
    private static readonly string[] ForeignTokens =
    [
        "nonsense",
        $"{Encode("""{"alg":"none","typ":"JWT"}""")}.{Encode(Claims)}.",
        $"{Encode("""{"alg":"RS256","typ":"at+jwt","kid":"1"}""")}.{Encode(Claims)}.{Encode(new string('x', 256))}",
        $"{Encode("""{"alg":"HS256","typ":"JWT"}""")}.{Encode(Claims)}.{Encode(new string('x', 32))}",
    ];

    private const string Claims = """{"iss":"https://localhost/adfs","aud":"https://localhost/","sub":"admin","oid":"admin","appid":"admin","exp":4102444800,"nbf":1}""";

    [Fact]
    public Task Without_a_token_nothing_is_told() =>
        AllRefusedAsync(lab.Endpoints.Select(one => Good(one, 401) with { IsSignedIn = false }));

    [Fact]
    public Task With_a_foreign_token_nothing_is_told() =>
        AllRefusedAsync(from one in lab.Endpoints from token in ForeignTokens select Good(one, 401) with { IsSignedIn = false, Token = token });

    [Theory]
    [InlineData("")]
    [InlineData("?api-version=")]
    [InlineData("?api-version=latest")]
    [InlineData("?api-version=2024-13-45")]
    [InlineData("?api-version=2024-04-01;drop")]
    [InlineData("?api-version=2024-04-01-previewer")]
    public Task A_missing_or_malformed_api_version_is_refused(string query) =>
        AllRefusedAsync(lab.Endpoints.Select(one => Good(one, 400) with { PathAndQuery = one.PathWith(lab.Lab) + query }));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("null")]
    [InlineData("""{"location":"home","location":""")]
    public Task A_body_that_is_no_JSON_object_is_refused(string body) =>
        AllRefusedAsync(WithBodies().Select(one => Good(one, 400) with { Body = body }));

    [Theory]
    [InlineData("""{"location":{"a":1},"tags":7,"properties":[1,2],"sku":"x","kind":3}""")]
    [InlineData("""{"location":true,"tags":[1],"properties":"text","sku":[],"kind":{}}""")]
    public Task Values_of_the_wrong_type_are_refused(string body) =>
        AllRefusedAsync(WithBodies().Select(one => Good(one, 400) with { Body = body }));

    [Fact]
    public Task A_body_nested_without_end_is_refused() =>
        AllRefusedAsync(WithBodies().Select(one => Good(one, 400) with
        {
            Body = string.Concat(Enumerable.Repeat("{\"properties\":", 5000)) + "1" + new string('}', 5000),
        }));

    [Fact]
    public Task A_huge_body_is_refused() =>
        AllRefusedAsync(WithBodies().Take(4).Select(one => Good(one, 400, 413) with
        {
            Body = "{\"location\":\"home\",\"tags\":{\"a\":\"" + new string('x', 40_000_000) + "\"}}",
        }));

    [Theory]
    [InlineData("protectedItemType", "Nonsense")]
    [InlineData("objectType", "Nonsense")]
    [InlineData("objectType", "")]
    public Task An_unknown_kind_of_object_is_refused(string discriminator, string kind) =>
        AllRefusedAsync(lab.Endpoints.Where(one => one.Body?.Contains(discriminator, StringComparison.Ordinal) == true).Select(one =>
        {
            var body = JsonNode.Parse(one.Body!)!;
            body["properties"]![discriminator] = kind;
            return Good(one, 400, 404) with { Body = body.ToJsonString() };
        }));

    [Theory]
    [InlineData("..%2F..%2Fetc%2Fpasswd")]
    [InlineData("a%5C..%5Cb")]
    [InlineData("a%0D%0Ab")]
    [InlineData("%FF%FE")]
    [InlineData("name%3Cscript%3E")]
    public Task A_name_that_is_no_name_is_refused(string name) => AllRefusedAsync(WithName(name, alsoWhereItIsMade: true));

    /// <summary>The HTTP layer refuses a NUL byte before anything of ours sees the request, with an empty body.</summary>
    [Fact]
    public Task A_NUL_byte_in_a_name_is_refused() =>
        AllRefusedAsync(WithName("%00", alsoWhereItIsMade: true).Select(probe => probe with { MayBeEmpty = true }));

    /// <summary>
    /// Escaped dot segments are removed from a path as plain ones are (RFC 3986, section 6.2.2): what is left is another
    /// path of the API, or none, but never a file.
    /// </summary>
    [Fact]
    public Task Dot_segments_lead_to_nothing_but_the_API() =>
        AllRefusedAsync(WithName("%2e%2e", alsoWhereItIsMade: true).Select(probe => probe with { Statuses = [400, 404, 405], MayBeRead = true }));

    [Fact]
    public Task An_overlong_name_is_refused() => AllRefusedAsync(WithName(new string('n', 2000), alsoWhereItIsMade: true));

    [Theory]
    [InlineData("unknown1")]
    [InlineData("11111111-2222-3333-4444-555555555555")]
    [InlineData("99999999999999999999999999")]
    public Task An_unknown_name_is_not_found(string name) => AllRefusedAsync(WithName(name, alsoWhereItIsMade: false));

    [Theory]
    [InlineData("/etc")]
    [InlineData("/")]
    [InlineData("../../../../etc")]
    [InlineData("")]
    public Task A_host_outside_the_allowed_folders_is_refused(string path) =>
        AllRefusedAsync(lab.Endpoints.Where(one => one.Method == HttpMethod.Put && one.Path.EndsWith("{host}", StringComparison.Ordinal))
            .Select(one => Good(one, 400, 403) with { Body = lab.Lab.HostBody(path).ToJsonString() }));

    [Fact]
    public Task A_path_that_nothing_answers_to_is_not_found() => AllRefusedAsync(
    [
        new(HttpMethod.Get, $"/nonsense?api-version={Version}", 404),
        new(HttpMethod.Get, $"{lab.Lab.VaultPath}/nonsense?api-version={Version}", 404),
        new(HttpMethod.Put, $"{lab.Lab.GroupPath}/providers/Microsoft.Nonsense/things/one?api-version={Version}", 400, 404, 409) { Body = "{}" },
    ]);

    private Probe Good(Endpoint one, params int[] statuses) =>
        new(one.Method, $"{one.PathWith(lab.Lab)}?api-version={Version}", statuses) { Body = one.Body };

    private IEnumerable<Endpoint> WithBodies() => lab.Endpoints.Where(one => one.Body is not null);

    private IEnumerable<Probe> WithName(string replacement, bool alsoWhereItIsMade) =>
        from one in lab.Endpoints
        from name in one.Names
        where alsoWhereItIsMade || !one.Makes(name)
        select new Probe(one.Method, $"{one.PathWith(lab.Lab, name, replacement)}?api-version={Version}", 400, 404, 414)
        {
            Body = one.Body,
            // To remove what is not there may be answered as done.
            MayBeDone = one.Method == HttpMethod.Delete && name != "subscription",
        };

    private async Task AllRefusedAsync(IEnumerable<Probe> probes)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var before = await lab.StateAsync(cancellationToken);
        List<string> problems = [];
        var sent = 0;
        foreach (var probe in probes)
        {
            sent++;
            if (await lab.RefusalProblemAsync(probe, cancellationToken) is { } problem)
                problems.Add(problem);
        }
        Assert.True(sent > 0, "No request was sent.");
        Assert.True(problems.Count == 0, $"{problems.Count} of {sent} answers:\n" + string.Join('\n', problems.Take(MostShown)));
        Assert.Equal(before, await lab.StateAsync(cancellationToken));
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
