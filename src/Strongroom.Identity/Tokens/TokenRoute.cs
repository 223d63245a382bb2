using Microsoft.AspNetCore.Http;

namespace Strongroom.Identity.Tokens;

/// <summary>The path of a token request, of the shapes that clients of ADFS and of Microsoft Entra ID use.</summary>
/// <param name="Tenant">As the client wrote it; null in the ADFS shape without a tenant.</param>
internal sealed record TokenRoute(string? Tenant)
{
    /// <summary>The one path that the token endpoint itself listens on; the others are rewritten to it.</summary>
    public const string CanonicalPath = "/adfs/oauth2/token";

    /// <summary>
    /// Recognises <c>[/adfs][/{tenant}]/oauth2[/v2.0]/token</c> with at least one of the first two. Repeated slashes count
    /// once: clients join a login endpoint that ends in a slash with a path that starts with one.
    /// </summary>
    public static TokenRoute? TryParse(PathString path)
    {
        var rest = (path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries).AsSpan();
        if (rest.Length < 3 || !Is(rest[^1], "token"))
            return null;
        rest = rest[..^1];
        if (Is(rest[^1], "v2.0"))
            rest = rest[..^1];
        if (!Is(rest[^1], "oauth2"))
            return null;

        return rest[..^1] switch
        {
            [var adfs] when Is(adfs, "adfs") => new TokenRoute((string?)null),
            [var tenant] => new TokenRoute(tenant),
            [var adfs, var tenant] when Is(adfs, "adfs") => new TokenRoute(tenant),
            _ => null,
        };

        static bool Is(string segment, string name) => segment.Equals(name, StringComparison.OrdinalIgnoreCase);
    }
}
