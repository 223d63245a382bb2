using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Strongroom.Identity.Bearer;

/// <summary>
/// The authentication scheme of the API: bearer tokens (RFC 6750) in the Authorization header alone, refused in the
/// words of Azure Resource Manager.
/// </summary>
internal sealed class BearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> schemes,
    ILoggerFactory logs,
    UrlEncoder encoder,
    IdentityOptions options,
    BearerTokens tokens) : AuthenticationHandler<AuthenticationSchemeOptions>(schemes, logs, encoder)
{
    private BearerFailure failure = BearerFailure.Missing;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 0)
            return AuthenticateResult.NoResult();

        // Two headers could mean two principals; neither is believed.
        if (header.Count != 1 || header[0]?.Split(' ', 2, StringSplitOptions.TrimEntries) is not [var scheme, { Length: > 0 } token]
            || !scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            failure = BearerFailure.NotBearer;
            return AuthenticateResult.Fail(failure.Message);
        }

        var (principal, reason) = await tokens.VerifyAsync(token, Request);
        if (principal is null)
        {
            failure = reason!;
            return AuthenticateResult.Fail(failure.Message);
        }

        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // Only to learn the reason: the answer is kept from the first time.
        await HandleAuthenticateOnceAsync();
        var authority = $"{Origin.ToHandOut(Request, options)}/{options.TenantId:D}";
        Response.Headers.WWWAuthenticate =
            $"Bearer authorization_uri=\"{authority}\", error=\"invalid_token\", error_description=\"{Quotable(failure.Message)}\"";
        await WriteAsync(StatusCodes.Status401Unauthorized, failure.Code, failure.Message);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => WriteAsync(
        StatusCodes.Status403Forbidden,
        "AuthorizationFailed",
        $"The client '{Context.User.Identity?.Name}' does not have authorization to perform this action.");

    private Task WriteAsync(int status, string code, string message)
    {
        Response.StatusCode = status;
        Response.ContentType = "application/json; charset=utf-8";
        Response.Headers["x-ms-failure-cause"] = "gateway";
        var body = new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } };
        return Response.WriteAsync(body.ToJsonString(), Context.RequestAborted);
    }

    // A quoted-string (RFC 9110 section 5.6.4) of plain ASCII: the message may repeat what the token said.
    private static string Quotable(string text) => string.Create(text.Length, text, static (span, source) =>
    {
        for (var index = 0; index < span.Length; index++)
            span[index] = source[index] is < ' ' or > '~' or '"' or '\\' ? '\'' : source[index];
    });
}
