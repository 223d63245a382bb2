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

        if (!await CanReadFormAsync(context.Request))
        {
            var error = new TokenError("invalid_request", 9002313, "Invalid request. The body is not a form that can be read.");
            await TokenAnswers.WriteErrorAsync(context, error, time.GetUtcNow());
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

    /// <summary>Reads the form, which stays read for the token endpoint: there a NUL or too many fields would end as an error of the server's.</summary>
    private static async Task<bool> CanReadFormAsync(HttpRequest request)
    {
        if (!request.HasFormContentType)
            return true;
        try
        {
            await request.ReadFormAsync(request.HttpContext.RequestAborted);
            return true;
        }
        catch (Exception exception) when (exception is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            return false;
        }
    }
}
