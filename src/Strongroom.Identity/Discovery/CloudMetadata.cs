using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Identity.Tokens;

namespace Strongroom.Identity.Discovery;

/// <summary>
/// <c>GET /metadata/endpoints</c>, by which clients learn what cloud this is. The shape goes by the api-version: an object
/// with the names of Azure Stack's days before 2019-05-01, an array of clouds until 2022-09-01, one cloud from then on.
/// </summary>
internal sealed partial class CloudMetadata(IdentityOptions options)
{
    private static readonly PathString Path = "/metadata/endpoints";

    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet(Path.Value!, WriteAsync).AllowAnonymous().ExcludeFromDescription();

    /// <summary>
    /// Answers <c>//metadata/endpoints</c>, which Terraform's library sends (an address that ends in a slash, and a path that
    /// starts with one) and no route matches.
    /// </summary>
    public Task AnswerDoubleSlashAsync(HttpContext context, RequestDelegate next) =>
        HttpMethods.IsGet(context.Request.Method)
        && context.Request.Path.Value is ['/', '/', .. var rest]
        && new PathString("/" + rest.TrimStart('/')).Equals(Path, StringComparison.OrdinalIgnoreCase)
            ? WriteAsync(context)
            : next(context);

    private Task WriteAsync(HttpContext context)
    {
        var version = context.Request.Query["api-version"].ToString();
        if (version.Length == 0)
        {
            return RefuseAsync(
                context, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.");
        }

        // Go's older Azure library says 1.0 here, and here alone.
        if (version != "1.0" && !ApiVersion().IsMatch(version))
        {
            return RefuseAsync(
                context, "InvalidApiVersionParameter", "The api-version must be a date, yyyy-MM-dd, that '-preview' may follow.");
        }

        var origin = Origin.ToHandOut(context.Request, options);
        var host = context.Request.Host;
        JsonNode body = string.CompareOrdinal(version, "2022-09-01") >= 0 ? Cloud(origin, host)
            : string.CompareOrdinal(version, "2019-05-01") >= 0 ? new JsonArray(Cloud(origin, host))
            : BeforeClouds(origin, host);
        return TokenAnswers.WriteAsync(context, StatusCodes.Status200OK, body);
    }

    private JsonObject Cloud(string origin, HostString host) => new()
    {
        ["name"] = options.CloudName,
        ["portal"] = origin + "/",
        ["authentication"] = new JsonObject
        {
            ["loginEndpoint"] = origin + "/adfs",
            ["audiences"] = new JsonArray(origin + "/"),
            ["tenant"] = "common",

            // az goes by the loginEndpoint alone; Terraform takes "ADFS" here for Azure Stack and refuses.
            ["identityProvider"] = "AAD",
        },
        ["resourceManager"] = origin + "/",
        ["gallery"] = origin + "/",
        ["graph"] = origin + "/",
        ["graphAudience"] = origin + "/",
        ["microsoftGraphResourceId"] = origin + "/",
        ["batch"] = origin + "/",
        ["media"] = origin + "/",
        ["sqlManagement"] = origin + "/",
        ["vmImageAliasDoc"] = origin + "/",
        ["suffixes"] = new JsonObject
        {
            ["storage"] = host.Host,
            ["keyVaultDns"] = "vault." + host.Host,
            ["sqlServerHostname"] = "database." + host.Host,
        },
    };

    private JsonObject BeforeClouds(string origin, HostString host)
    {
        var endpoint = new JsonObject { ["endpoint"] = host.ToUriComponent() };
        if (options.Locations.Count > 0)
            endpoint["locations"] = new JsonArray([.. options.Locations.Select(location => JsonValue.Create(location))]);
        return new JsonObject
        {
            ["galleryEndpoint"] = origin + "/",
            ["graphEndpoint"] = origin + "/",
            ["portalEndpoint"] = origin + "/",
            ["graphAudience"] = origin + "/",
            ["authentication"] = new JsonObject
            {
                ["loginEndpoint"] = origin + "/adfs",
                ["audiences"] = new JsonArray(origin + "/"),
            },
            ["cloudEndpoint"] = new JsonObject { [options.CloudName] = endpoint },
        };
    }

    private static Task RefuseAsync(HttpContext context, string code, string message) => TokenAnswers.WriteAsync(
        context,
        StatusCodes.Status400BadRequest,
        new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } });

    [GeneratedRegex(@"\A\d{4}-\d{2}-\d{2}(-[A-Za-z0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex ApiVersion();
}
