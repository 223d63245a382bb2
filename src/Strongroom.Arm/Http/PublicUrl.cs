using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Arm;

/// <summary>Absolute URLs of this server, at the address that the operator made public, else with the scheme and host the client used: clients follow them verbatim, through whatever proxy they came.</summary>
public static class PublicUrl
{
    /// <summary>The URL of a path.</summary>
    /// <param name="request">Gives scheme and host.</param>
    /// <param name="path">Absolute and unescaped. Semicolons and parentheses stay as they are, as in the service's own URLs.</param>
    /// <param name="query">Escaped, without its question mark; appended as it is.</param>
    public static string For(HttpRequest request, string path, string? query = null) =>
        $"{Origin(request)}{Escape(request.PathBase.Value + path)}{(string.IsNullOrEmpty(query) ? "" : "?" + query)}";

    /// <summary>The URL of a path with this request's api-version, or with <paramref name="apiVersion"/>.</summary>
    public static string WithApiVersion(HttpRequest request, string path, string? apiVersion = null) =>
        For(request, path, "api-version=" + Uri.EscapeDataString(apiVersion ?? ApiVersion.Of(request).Text));

    private static string Origin(HttpRequest request) =>
        request.HttpContext.RequestServices?.GetService<ArmOptions>()?.PublicUrl?.GetLeftPart(UriPartial.Authority) ?? $"{request.Scheme}://{request.Host.ToUriComponent()}";

    // RFC 3986 section 3.3: pchar and '/'. Everything else becomes UTF-8 in percent form, as a header is ASCII.
    private static string Escape(string path)
    {
        var escaped = new StringBuilder(path.Length);
        foreach (byte octet in Encoding.UTF8.GetBytes(path))
        {
            if (char.IsAsciiLetterOrDigit((char)octet) || "-._~!$&'()*+,;=:@/".Contains((char)octet, StringComparison.Ordinal)) escaped.Append((char)octet);
            else escaped.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
        }
        return escaped.ToString();
    }
}
