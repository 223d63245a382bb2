using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Identity.Tokens;

namespace Strongroom.Identity.Discovery;

/// <summary>
/// OpenID Connect Discovery 1.0 and the key set (RFC 7517), in the shape of ADFS and in that of Microsoft Entra ID. Every
/// address in them is under the one that the client used, and in the shape that it asked for.
/// </summary>
internal sealed class OpenIdDocuments(IdentityOptions options)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        const string Configuration = ".well-known/openid-configuration";
        var anonymous = endpoints.MapGroup("").AllowAnonymous().ExcludeFromDescription();

        anonymous.MapGet($"/adfs/{Configuration}", context => WriteConfigurationAsync(context, "/adfs", "/oauth2"));
        anonymous.MapGet($"/adfs/{{tenant}}/{Configuration}", context => WriteConfigurationAsync(context, "/adfs", "/oauth2"));
        anonymous.MapGet($"/adfs/{{tenant}}/v2.0/{Configuration}", context => WriteConfigurationAsync(context, "/adfs", "/oauth2/v2.0"));
        anonymous.MapGet($"/{{tenant}}/{Configuration}", context => WriteConfigurationAsync(context, "", "/oauth2"));
        anonymous.MapGet($"/{{tenant}}/v2.0/{Configuration}", context => WriteConfigurationAsync(context, "", "/oauth2/v2.0"));

        foreach (var keys in (string[])["/adfs/discovery/keys", "/adfs/{tenant}/discovery/keys", "/adfs/{tenant}/discovery/v2.0/keys",
            "/{tenant}/discovery/keys", "/{tenant}/discovery/v2.0/keys"])
        {
            anonymous.MapGet(keys, WriteKeysAsync);
        }

        // Named in the documents because clients insist on them; this server has no people to sign in.
        foreach (var prefix in (string[])["/adfs", "/adfs/{tenant}", "/{tenant}"])
        {
            foreach (var name in (string[])["authorize", "devicecode"])
            {
                foreach (var version in (string[])["/oauth2", "/oauth2/v2.0"])
                    anonymous.MapMethods($"{prefix}{version}/{name}", ["GET", "POST"], RefuseInteractiveAsync);
            }
        }
    }

    private Task WriteConfigurationAsync(HttpContext context, string prefix, string oauth)
    {
        var tenant = context.Request.RouteValues["tenant"] as string;
        if (!IsOurs(tenant))
            return RefuseTenantAsync(context, tenant!);

        var origin = Origin.ToHandOut(context.Request, options);
        var root = $"{origin}{prefix}{(tenant is null ? "" : "/" + Spelling(tenant))}";
        var version = oauth.EndsWith("/v2.0", StringComparison.Ordinal) ? "/v2.0" : "";
        return TokenAnswers.WriteAsync(context, StatusCodes.Status200OK, new JsonObject
        {
            ["issuer"] = Tenant.Issuer(origin, options),
            ["authorization_endpoint"] = $"{root}{oauth}/authorize",
            ["token_endpoint"] = $"{root}{oauth}/token",
            ["device_authorization_endpoint"] = $"{root}{oauth}/devicecode",
            ["jwks_uri"] = $"{root}/discovery{version}/keys",
            ["grant_types_supported"] = new JsonArray("client_credentials"),
            ["response_types_supported"] = new JsonArray("token"),
            ["response_modes_supported"] = new JsonArray("form_post"),
            ["scopes_supported"] = new JsonArray("openid"),
            ["subject_types_supported"] = new JsonArray("pairwise"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
            ["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "client_secret_basic"),
            ["claims_supported"] = new JsonArray("sub", "iss", "aud", "exp", "iat", "nbf", "tid", "oid", "appid", "azp", "idtyp", "ver", "uti"),
            ["tenant_region_scope"] = null,
        });
    }

    private Task WriteKeysAsync(HttpContext context)
    {
        var tenant = context.Request.RouteValues["tenant"] as string;
        if (!IsOurs(tenant))
            return RefuseTenantAsync(context, tenant!);

        var keys = new JsonArray();
        foreach (var key in options.Keys.All)
        {
            keys.Add((JsonNode)new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["alg"] = "RS256",
                ["kid"] = key.KeyId,
                ["n"] = key.Modulus,
                ["e"] = key.Exponent,
                ["issuer"] = Tenant.Issuer(Origin.ToHandOut(context.Request, options), options),
            });
        }

        return TokenAnswers.WriteAsync(context, StatusCodes.Status200OK, new JsonObject { ["keys"] = keys });
    }

    private Task RefuseInteractiveAsync(HttpContext context) => TokenAnswers.WriteErrorAsync(
        context,
        new TokenError(
            "unsupported_response_type", 700054,
            "This server signs in service principals alone: az login --service-principal -u CLIENT_ID -p SECRET --tenant TENANT_ID."),
        options.Time.GetUtcNow());

    private Task RefuseTenantAsync(HttpContext context, string tenant) =>
        TokenAnswers.WriteErrorAsync(context, TokenError.UnknownTenant(tenant, "invalid_tenant"), options.Time.GetUtcNow());

    private bool IsOurs(string? tenant) => tenant is null || Tenant.IsOurs(tenant, options);

    private string Spelling(string tenant) =>
        Guid.TryParse(tenant, out _) ? options.TenantId.ToString() : tenant.ToLowerInvariant();
}
