using Microsoft.AspNetCore.Http;
using OpenIddict.Abstractions;

namespace Strongroom.Identity.Tokens;

/// <summary>What a token request asks a token for, by <c>scope</c> (v2.0 of the platform) or <c>resource</c> (v1.0 and ADFS).</summary>
internal static class TokenAudience
{
    private const string DefaultSuffix = "/.default";

    // Scopes that ask for no resource: libraries add them to every request out of habit.
    private static readonly string[] Reserved = ["openid", "profile", "offline_access", "email"];

    /// <summary>Takes the scopes that ask for no resource out of a request, before they are taken for an error.</summary>
    public static void DropReservedScopes(OpenIddictRequest request)
    {
        if (request.Scope is not null)
        {
            request.Scope = string.Join(
                ' ', request.GetScopes().Where(scope => !Reserved.Contains(scope, StringComparer.OrdinalIgnoreCase)));
        }
    }

    /// <summary>Reads the audience of the token from the request.</summary>
    /// <returns>The audience, or the reason why none can be given.</returns>
    public static (string? Audience, TokenError? Error) Resolve(OpenIddictRequest request, HttpRequest http, IdentityOptions options)
    {
        if (request["resource"] is { } parameter)
        {
            var resource = (string?)parameter ?? "";
            return Ours(resource, http, options) is { } audience
                ? (audience, null)
                : (null, TokenError.UnknownResource(resource));
        }

        var scopes = request.GetScopes();
        if (scopes.IsEmpty)
            return (null, TokenError.MissingParameter("scope"));

        return scopes is [var only]
            && only.EndsWith(DefaultSuffix, StringComparison.OrdinalIgnoreCase)
            && Ours(only[..^DefaultSuffix.Length], http, options) is { } found
                ? (found, null)
                : (null, TokenError.UnknownScope(string.Join(' ', scopes)));
    }

    // With one last slash, as /metadata/endpoints names it, whichever way the client wrote it.
    private static string? Ours(string text, HttpRequest http, IdentityOptions options) =>
        Origin.Normalise(text) is { } normalised && Origin.IsOurs(normalised, http, options) ? normalised + "/" : null;
}
