using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Strongroom.Identity.Bearer;

/// <summary>
/// Verifies access tokens (RFC 9068) of our own issuer: signature first, so that nothing is believed, and nothing told
/// about, that we did not sign. Thread-safe.
/// </summary>
internal sealed class BearerTokens(IdentityOptions options)
{
    // Larger than any token of ours by an order of magnitude.
    private const int MaximumTokenLengthChars = 16 * 1024;

    private readonly JsonWebTokenHandler handler = new()
    {
        MapInboundClaims = false,
        MaximumTokenSizeInBytes = MaximumTokenLengthChars,
    };

    /// <summary>Verifies a token for a request. Exactly one of the two answers is not null.</summary>
    public async ValueTask<(ClaimsPrincipal? Principal, BearerFailure? Failure)> VerifyAsync(string token, HttpRequest request)
    {
        if (token.Length > MaximumTokenLengthChars || !handler.CanReadToken(token))
            return (null, BearerFailure.Unreadable);

        // Issuer, audience and life are looked at below, by our clock and with the request's address at hand.
        var result = await handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            RequireSignedTokens = true,
            ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
            IssuerSigningKeys = options.Keys.All.Select(key => key.SecurityKey),
            TryAllIssuerSigningKeys = false,
            ValidTypes = ["at+jwt", "application/at+jwt"],
            ValidateIssuer = false,
            ValidateAudience = false,
            ValidateLifetime = false,
            AuthenticationType = StrongroomIdentityDefaults.AuthenticationScheme,
            NameClaimType = "appid",
            RoleClaimType = "roles",
        });
        if (!result.IsValid)
        {
            return (null, result.Exception switch
            {
                SecurityTokenInvalidTypeException => BearerFailure.Incomplete,
                SecurityTokenInvalidSignatureException or SecurityTokenInvalidAlgorithmException => BearerFailure.NotOurSignature,
                _ => BearerFailure.Unreadable,
            });
        }

        var jwt = (JsonWebToken)result.SecurityToken;
        return Check(jwt, request) is { } failure ? (null, failure) : (new ClaimsPrincipal(result.ClaimsIdentity), null);
    }

    private BearerFailure? Check(JsonWebToken jwt, HttpRequest request)
    {
        // A key of ours signs nothing but access tokens, but a token without these would name nobody.
        if (!jwt.TryGetPayloadValue<long>("exp", out var expiry)
            || !jwt.TryGetPayloadValue<long>("nbf", out var notBefore)
            || string.IsNullOrEmpty(jwt.Subject)
            || !jwt.TryGetPayloadValue<string>("oid", out _)
            || !jwt.TryGetPayloadValue<string>("appid", out _))
        {
            return BearerFailure.Incomplete;
        }

        var suffix = Tenant.Issuer("", options);
        if (!jwt.Issuer.EndsWith(suffix, StringComparison.Ordinal)
            || !Origin.IsOurs(Origin.Normalise(jwt.Issuer[..^suffix.Length]), request, options))
        {
            return BearerFailure.WrongIssuer(jwt.Issuer);
        }

        if (!jwt.Audiences.Any(audience => Origin.IsOurs(Origin.Normalise(audience), request, options)))
            return BearerFailure.WrongAudience(string.Join(' ', jwt.Audiences), Origin.ToHandOut(request, options) + "/");

        // No leeway: issuer and verifier have one clock.
        var now = options.Time.GetUtcNow();
        if (now >= DateTimeOffset.FromUnixTimeSeconds(expiry))
            return BearerFailure.Expired(DateTimeOffset.FromUnixTimeSeconds(expiry), now);
        if (now < DateTimeOffset.FromUnixTimeSeconds(notBefore))
            return BearerFailure.NotYetValid(DateTimeOffset.FromUnixTimeSeconds(notBefore), now);
        return null;
    }
}
