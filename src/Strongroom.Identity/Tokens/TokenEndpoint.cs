using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using OpenIddict.Server.AspNetCore;
using Strongroom.Identity.Principals;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Strongroom.Identity.Tokens;

/// <summary>
/// The token endpoint (RFC 6749 section 4.4, client credentials): OpenIddict reads and answers the protocol, and this
/// decides. It runs OpenIddict without its stores ("degraded mode"), for the principals live behind our own door and the
/// tokens are self-contained. Thread-safe.
/// </summary>
internal sealed partial class TokenEndpoint(IdentityOptions options, SignInThrottle throttle, ILogger<TokenEndpoint> log) :
    IOpenIddictServerHandler<ExtractTokenRequestContext>,
    IOpenIddictServerHandler<ValidateTokenRequestContext>,
    IOpenIddictServerHandler<HandleTokenRequestContext>,
    IOpenIddictServerHandler<GenerateTokenContext>,
    IOpenIddictServerHandler<ApplyTokenResponseContext>
{
    private const string ErrorProperty = "strongroom.identity.error";
    private const string PrincipalProperty = "strongroom.identity.principal";
    private const string AudienceProperty = "strongroom.identity.audience";

    public static void Configure(OpenIddictServerBuilder server)
    {
        server.SetTokenEndpointUris(TokenRoute.CanonicalPath.TrimStart('/'));

        // The documents are written by OpenIdDocuments, which knows the shape that was asked for.
        server.SetConfigurationEndpointUris(Array.Empty<string>()).SetJsonWebKeySetEndpointUris(Array.Empty<string>());
        server.AllowClientCredentialsFlow();
        server.EnableDegradedMode().DisableAccessTokenEncryption();
        server.DisableScopeValidation().DisableResourceValidation().DisableAudienceValidation();

        // Judged below instead: a missing secret is a failed sign-in to clients of the platform, and a resource or scope that
        // is no address has a code of its own.
        server.RemoveEventHandler(OpenIddictServerHandlers.Exchange.ValidateClientCredentialsParameters.Descriptor);
        server.RemoveEventHandler(OpenIddictServerHandlers.Exchange.ValidateScopeParameter.Descriptor);
        server.RemoveEventHandler(OpenIddictServerHandlers.Exchange.ValidateResourceParameter.Descriptor);

        // OpenIddict insists on having keys of its own. Neither is used: access tokens are not encrypted, and which key
        // signs is decided at each token, so that a rotation needs no restart.
        server.AddEncryptionKey(new SymmetricSecurityKey(RandomNumberGenerator.GetBytes(32)));

        Add<ExtractTokenRequestContext>(int.MaxValue - 100_000);
        Add<ValidateTokenRequestContext>(int.MaxValue - 100_000);
        Add<HandleTokenRequestContext>(0);
        Add<GenerateTokenContext>(OpenIddictServerHandlers.Protection.GenerateIdentityModelToken.Descriptor.Order - 1);
        Add<ApplyTokenResponseContext>(int.MinValue + 50_000);
        server.UseAspNetCore();

        void Add<TContext>(int order)
            where TContext : OpenIddictServerEvents.BaseContext =>
            server.AddEventHandler<TContext>(handler => handler
                .UseSingletonHandler(provider => (IOpenIddictServerHandler<TContext>)(object)provider.GetRequiredService<TokenEndpoint>())
                .SetOrder(order));
    }

    public ValueTask HandleAsync(ExtractTokenRequestContext context)
    {
        if (context.Request is not { } request)
            return default;
        TokenAudience.DropReservedScopes(request);
        if (request.ClientAssertion is not null || request.ClientAssertionType is not null)
            Reject(context, TokenError.AssertionNotSupported);
        return default;
    }

    public async ValueTask HandleAsync(ValidateTokenRequestContext context)
    {
        if (context.IsRejected)
            return;
        var http = Http(context.Transaction);
        var clientId = context.Request.ClientId;
        var secret = context.Request.ClientSecret;
        if (string.IsNullOrEmpty(clientId))
        {
            Reject(context, TokenError.MissingParameter("client_id"));
            return;
        }

        if (string.IsNullOrEmpty(secret))
        {
            Reject(context, TokenError.MissingSecret);
            return;
        }

        var principal = await options.Principals.FindAsync(clientId, http.RequestAborted);
        if (principal is null)
        {
            throttle.Failed(clientId, TokenAnswers.Address(http));
            LogUnknownClient(clientId, http.Connection.RemoteIpAddress?.ToString());
            Reject(context, TokenError.UnknownClient(clientId));
            return;
        }

        if (!principal.Accepts(secret))
        {
            throttle.Failed(clientId, TokenAnswers.Address(http));
            LogWrongSecret(principal.ClientId, http.Connection.RemoteIpAddress?.ToString());
            Reject(context, TokenError.WrongSecret);
            return;
        }

        throttle.Succeeded(clientId, secret, TokenAnswers.Address(http));
        var (audience, error) = TokenAudience.Resolve(context.Request, http.Request, options);
        if (error is not null)
        {
            Reject(context, error);
            return;
        }

        context.Transaction.Properties[PrincipalProperty] = principal;
        context.Transaction.Properties[AudienceProperty] = audience!;
    }

    public ValueTask HandleAsync(HandleTokenRequestContext context)
    {
        var principal = (ServicePrincipal)context.Transaction.Properties[PrincipalProperty]!;
        var identity = new ClaimsIdentity(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        identity.SetClaim(Claims.Subject, principal.ObjectId.ToString());
        identity.SetResources((string)context.Transaction.Properties[AudienceProperty]!);
        identity.SetAccessTokenLifetime(options.TokenLifetime);
        context.SignIn(new ClaimsPrincipal(identity));
        return default;
    }

    public ValueTask HandleAsync(GenerateTokenContext context)
    {
        if (context.TokenType != TokenTypeIdentifiers.AccessToken)
            return default;
        var principal = (ServicePrincipal)context.Transaction.Properties[PrincipalProperty]!;
        var now = options.Time.GetUtcNow();
        var objectId = principal.ObjectId.ToString();
        var clientId = principal.ClientId.ToString();

        // Written anew rather than amended: what is in a token is all in this one place.
        var token = context.SecurityTokenDescriptor;
        token.Subject = null;
        token.Issuer = Tenant.Issuer(Origin.ToHandOut(Http(context.Transaction).Request, options), options);
        token.Audience = (string)context.Transaction.Properties[AudienceProperty]!;
        token.Audiences.Clear();
        token.IssuedAt = now.UtcDateTime;
        token.NotBefore = now.UtcDateTime;
        token.Expires = now.UtcDateTime + options.TokenLifetime;
        token.TokenType = JsonWebTokenTypes.AccessToken;
        token.SigningCredentials = options.Keys.Current.Credentials;
        token.EncryptingCredentials = null;
        token.Claims = new Dictionary<string, object>
        {
            ["appid"] = clientId,
            ["appidacr"] = "1",
            ["azp"] = clientId,
            ["client_id"] = clientId,
            ["idtyp"] = "app",
            ["oid"] = objectId,
            ["sub"] = objectId,
            ["tid"] = options.TenantId.ToString(),
            ["uti"] = Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(16)),
            ["ver"] = "1.0",
        };
        LogIssued(principal.ClientId);
        return default;
    }

    public ValueTask HandleAsync(ApplyTokenResponseContext context)
    {
        var http = Http(context.Transaction);
        if (!string.IsNullOrEmpty(context.Error))
        {
            var error = context.Transaction.Properties.GetValueOrDefault(ErrorProperty) as TokenError ?? Translate(context);
            foreach (var (name, value) in error.ToJson(TokenAnswers.CorrelationId(http.Request), options.Time.GetUtcNow()))
                context.Response[name] = new OpenIddictParameter(value?.DeepClone());
            context.Response.ErrorUri = null;
            return default;
        }

        // The token's own times are whole seconds, rounded down: a client must not think it valid for longer.
        var seconds = (long)options.TokenLifetime.TotalSeconds - 1;
        context.Response["expires_in"] = seconds;
        context.Response["ext_expires_in"] = seconds;
        if (context.Request?["resource"] is { } resource)
        {
            // Version 1.0 of the platform answers numbers as strings, and repeats the resource as it was asked for.
            var now = options.Time.GetUtcNow().ToUnixTimeSeconds();
            context.Response["expires_in"] = Text(seconds);
            context.Response["ext_expires_in"] = Text(seconds);
            context.Response["not_before"] = Text(now);
            context.Response["expires_on"] = Text(now + seconds + 1);
            context.Response["resource"] = (string?)resource;
        }

        if ((string?)context.Request?["client_info"] == "1")
        {
            var principal = (ServicePrincipal)context.Transaction.Properties[PrincipalProperty]!;
            var info = new JsonObject { ["uid"] = principal.ObjectId.ToString(), ["utid"] = options.TenantId.ToString() };
            context.Response["client_info"] = Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(info.ToJsonString()));
        }

        return default;

        static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
    }

    // What OpenIddict itself found wrong with the request.
    private static TokenError Translate(ApplyTokenResponseContext context) => context.Error switch
    {
        Errors.UnsupportedGrantType => TokenError.UnsupportedGrant,
        Errors.InvalidClient => TokenError.MissingSecret,
        var error => new TokenError(
            error!, 900144, context.Response.ErrorDescription ?? "The request is not a valid token request (RFC 6749 section 4.4.2)."),
    };

    private static void Reject(BaseValidatingContext context, TokenError error)
    {
        context.Transaction.Properties[ErrorProperty] = error;
        context.Reject(error.Error, error.Message);
    }

    private static HttpContext Http(OpenIddictServerTransaction transaction) =>
        transaction.GetHttpRequest()?.HttpContext
        ?? throw new InvalidOperationException("The token endpoint is reached over HTTP alone.");

    [LoggerMessage(1001, LogLevel.Information, "Token issued to application {ClientId}")]
    private partial void LogIssued(Guid clientId);

    [LoggerMessage(1002, LogLevel.Warning, "Sign-in refused: application '{ClientId}' from {Address} is not known")]
    private partial void LogUnknownClient(string clientId, string? address);

    [LoggerMessage(1003, LogLevel.Warning, "Sign-in refused: wrong secret for application {ClientId} from {Address}")]
    private partial void LogWrongSecret(Guid clientId, string? address);
}
