using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Arm;

/// <summary>Who sent a request, as the token says.</summary>
/// <param name="ObjectId">The principal's object id, <c>oid</c>.</param>
/// <param name="ClientId">The application id, <c>appid</c>.</param>
public sealed record Caller(Guid ObjectId, string ClientId)
{
    /// <summary>The caller of a request, or null where nobody signed in.</summary>
    public static Caller? Of(HttpContext context)
    {
        ClaimsPrincipal user = context.User;
        return user.Identity is { IsAuthenticated: true } && Guid.TryParse(user.FindFirstValue("oid"), out Guid id)
            ? new Caller(id, user.FindFirstValue("appid") ?? id.ToString())
            : null;
    }
}
