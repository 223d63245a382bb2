using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Strongroom.Identity.Tokens;

/// <summary>
/// Brings every shape of token path to the one that the token endpoint listens on (its paths have no place for a tenant),
/// after it has refused tenants that are not ours.
/// </summary>
internal sealed class TokenPathMiddleware(RequestDelegate next, IdentityOptions options, SignInThrottle throttle)
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
            await TokenAnswers.WriteErrorAsync(context, TokenError.UnknownTenant(route.Tenant, "invalid_request"), options.Time.GetUtcNow());
            return;
        }

        if (!await CanReadFormAsync(context.Request))
        {
            var error = new TokenError("invalid_request", 9002313, "Invalid request. The body is not a form that can be read.");
            await TokenAnswers.WriteErrorAsync(context, error, options.Time.GetUtcNow());
            return;
        }

        if (DelaySeconds(context) is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            await TokenAnswers.WriteErrorAsync(context, TokenError.TooManyFailures(seconds), options.Time.GetUtcNow());
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

    private int? DelaySeconds(HttpContext context)
    {
        var (client, secret) = InHeader(context.Request) ?? InForm(context.Request);
        return throttle.Delay(client, secret, TokenAnswers.Address(context));
    }

    // Read already.
    private static (string Client, string Secret) InForm(HttpRequest request)
    {
        var form = request.HasFormContentType ? request.Form : FormCollection.Empty;
        return (form["client_id"].ToString(), form["client_secret"].ToString());
    }

    // RFC 6749 section 2.3.1.
    private static (string Client, string Secret)? InHeader(HttpRequest request)
    {
        if (!AuthenticationHeaderValue.TryParse(request.Headers.Authorization, out var header) || !header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
            return null;
        var bytes = new byte[header.Parameter?.Length ?? 0];
        return Convert.TryFromBase64String(header.Parameter ?? "", bytes, out var length) && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [var client, var secret]
            ? (Uri.UnescapeDataString(client), Uri.UnescapeDataString(secret))
            : null;
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
