using Microsoft.AspNetCore.Http;

namespace Strongroom.Identity;

/// <summary>Addresses as clients use them: scheme, host and port, which is all that tells one audience from another.</summary>
internal static class Origin
{
    /// <summary>The start of every URL that is handed out, without a last slash: the address that the operator made public, else
    /// the one that the client used, so that it comes back through whatever proxy it came through.</summary>
    public static string ToHandOut(HttpRequest request, IdentityOptions options) => options.PublicUrl?.GetLeftPart(UriPartial.Authority) ?? Of(request);

    /// <summary>The address the client used, without a last slash.</summary>
    public static string Of(HttpRequest request) => $"{request.Scheme}://{request.Host.ToUriComponent()}";

    /// <summary>
    /// The address <paramref name="text"/> names, normalised (lower case, no default port, no last slash), or null when it
    /// is not a plain http(s) address. Any number of last slashes is accepted: clients append <c>/.default</c> to an
    /// audience that ends in a slash already, and strip one, two or none of them.
    /// </summary>
    public static string? Normalise(string text)
    {
        if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var uri)
            || (uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp)
            || uri.UserInfo.Length > 0
            || uri.PathAndQuery != "/"
            || uri.Fragment.Length > 0)
        {
            return null;
        }

        return uri.GetLeftPart(UriPartial.Authority);
    }

    /// <summary>Whether <paramref name="normalised"/> is this server as the request reached it, or as its operator knows it.</summary>
    public static bool IsOurs(string? normalised, HttpRequest request, IdentityOptions options) =>
        normalised is not null
        && (normalised == Normalise(Of(request))
            || (options.Endpoint is { } endpoint && normalised == Normalise(endpoint.GetLeftPart(UriPartial.Authority))));
}
