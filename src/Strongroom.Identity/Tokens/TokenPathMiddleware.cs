using Microsoft.AspNetCore.Http;

namespace Strongroom.Identity.Tokens;

/// <summary>
/// Brings every shape of token path to the one that the token endpoint listens on (its paths have no place for a tenant),
/// after it has refused tenants that are not ours.
/// </summary>
internal sealed class TokenPathMiddleware(RequestDelegate next, IdentityOptions options, TimeProvider time)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var route = TokenRoute.TryParse(context.Request.Path);
        if (route is null)
        {
            await next(context);
            return;
        }

        if (route.Tenant is not null && !Tenant.IsOurs(route.Tenant, options))
        {
            await TokenAnswers.WriteErrorAsync(context, TokenError.UnknownTenant(route.Tenant, "invalid_request"), time.GetUtcNow());
            return;
        }

        var asked = context.Request.Path;
        context.Request.Path = TokenRoute.CanonicalPath;
        try
        {
            await next(context);
        }
        finally
        {
            // For the log of requests.
            context.Request.Path = asked;
        }
    }
}
