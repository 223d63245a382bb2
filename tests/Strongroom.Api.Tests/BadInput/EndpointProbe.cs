using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Strongroom.Api.Tests.BadInput;

/// <summary>One thing a hostile or broken client sends.</summary>
/// <param name="What">For the failure message.</param>
/// <param name="Path">With its query, as it stands on the wire.</param>
public sealed record Probe(string What, string Method, string Path, string? Body, string ContentType = "application/json")
{
    public override string ToString() => $"{Method} {(Path.Length > 200 ? Path[..200] + "..." : Path)} [{What}]";
}

/// <summary>Makes, out of every endpoint that is mapped, the requests that must not hurt it. A new endpoint is covered the moment it is mapped.</summary>
public static class EndpointProbe
{
    private const string Version = "?api-version=2024-04-01";

    private static readonly (string What, string Name)[] s_names =
    [
        ("traversal", ".."), ("escaped traversal", "%2e%2e"), ("escaped slash", "..%2f..%2fetc%2fpasswd"), ("backslash", "..%5c..%5cetc"),
        ("twice escaped", "%252e%252e%252f"), ("300 characters", new string('a', 300)), ("blank", "%20"), ("line end", "a%0d%0ab"), ("markup", "%3Cb%3E"),
        ("quote", "a'%22b"), ("other script", "%D0%B1%D1%8E%D1%80%D0%BE"), ("emoji", "%F0%9F%98%80"), ("no UTF-8", "%ff%fe"), ("semicolons", ";;;"), ("unknown", "no-such-thing"),
    ];

    private static readonly (string What, string? Body, string ContentType)[] s_bodies =
    [
        ("no body", null, "application/json"), ("empty body", "", "application/json"), ("half an object", "{\"properties\":{", "application/json"), ("an array", "[]", "application/json"),
        ("null", "null", "application/json"), ("a number", "1e999", "application/json"), ("empty object", "{}", "application/json"),
        ("wrong types", """{"location":[],"tags":7,"sku":"x","identity":[],"kind":{},"properties":"x","name":[],"type":1,"id":{}}""", "application/json"),
        ("null members", """{"location":null,"tags":null,"sku":null,"identity":null,"properties":null,"name":null,"type":null}""", "application/json"),
        ("unknown discriminators", """{"location":"home","properties":{"objectType":"Nonsense","backupManagementType":"Nonsense","protectedItemType":"Nonsense","kind":"Nonsense"}}""", "application/json"),
        ("wrong types inside", """{"location":"home","properties":{"objectType":1,"backupManagementType":[],"protectedItemType":{},"policyId":5,"sourceResourceId":false,"kind":[],"path":{},"accessTier":1}}""", "application/json"),
        ("traversal in members", """{"location":"../..","name":"../../etc","type":"../x","properties":{"kind":"Folder","path":"../../etc/passwd","policyId":"/../..","sourceResourceId":"/subscriptions/../.."}}""", "application/json"),
        ("a name twice", """{"location":"home","location":"home"}""", "application/json"), ("half a surrogate", """{"location":"\ud800"}""", "application/json"), ("a NUL", """{"location":"home","tags":{"a":"\u0000"}}""", "application/json"),
        ("not JSON", "location=home", "application/x-www-form-urlencoded"), ("XML", "<a/>", "text/xml"), ("deep", string.Concat(Enumerable.Repeat("{\"a\":", 200)) + "1" + new string('}', 200), "application/json"),
    ];

    private static readonly (string What, string Query)[] s_queries =
    [
        ("no api-version", ""), ("malformed api-version", "?api-version=tomorrow"), ("impossible date", "?api-version=2024-02-31"), ("two api-versions", "?api-version=2024-04-01&api-version=2023-04-01"),
        ("bad filter", Version + "&$filter=a%20or%20b"), ("unclosed filter", Version + "&$filter=a%20eq%20'b"), ("unknown filter key", Version + "&$filter=zzz%20eq%20'b'"),
        ("bad top", Version + "&$top=-1"), ("huge top", Version + "&$top=99999999999999"), ("foreign token", Version + "&$skipToken=zzz"), ("bad expand", Version + "&$expand=%00%ff"),
    ];

    /// <summary>All probes for one endpoint.</summary>
    /// <param name="name">Gives a parameter a value that exists or could: the subscription, a group.</param>
    public static IEnumerable<Probe> For(RouteEndpoint endpoint, Func<string, string> name)
    {
        foreach (string method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
        {
            bool hasBody = method is "PUT" or "PATCH" or "POST";
            string? plainBody = hasBody ? "{}" : null;
            string path = Path(endpoint.RoutePattern, name);
            foreach ((string what, string query) in s_queries) yield return new Probe(what, method, path + query, plainBody);
            foreach (RoutePatternParameterPart parameter in endpoint.RoutePattern.Parameters)
            {
                foreach ((string what, string value) in s_names)
                {
                    yield return new Probe($"{what} as {parameter.Name}", method, Path(endpoint.RoutePattern, p => p == parameter.Name ? value : name(p)) + Version, plainBody);
                }
            }
            if (!hasBody) continue;
            foreach ((string what, string? body, string contentType) in s_bodies) yield return new Probe(what, method, path + Version, body, contentType);
        }
    }

    /// <summary>The path of a pattern with its parameters filled in.</summary>
    public static string Path(RoutePattern pattern, Func<string, string> name) =>
        "/" + string.Join('/', pattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
        {
            RoutePatternLiteralPart literal => literal.Content,
            RoutePatternSeparatorPart separator => separator.Content,
            RoutePatternParameterPart parameter => name(parameter.Name),
            _ => throw new InvalidOperationException($"Unknown part {part}."),
        }))));
}
