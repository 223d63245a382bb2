namespace Strongroom.Identity.Bearer;

/// <summary>
/// Why a request's token was refused, with the code that Azure Resource Manager answers. The message goes to the client
/// and holds nothing of the token's signature.
/// </summary>
internal sealed record BearerFailure(string Code, string Message)
{
    public static BearerFailure Missing { get; } = new(
        "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");

    public static BearerFailure NotBearer { get; } = new(
        "AuthenticationFailedInvalidHeader", "Authentication failed. The 'Authorization' header must read 'Bearer' followed by an access token.");

    public static BearerFailure Unreadable { get; } = new(
        "InvalidAuthenticationToken", "The access token is invalid: it is not a signed JSON web token.");

    public static BearerFailure NotOurSignature { get; } = new(
        "InvalidAuthenticationToken", "The access token is invalid: its signature is not one of this server's.");

    public static BearerFailure Incomplete { get; } = new(
        "InvalidAuthenticationToken", "The access token is invalid: it is not an access token of this server.");

    public static BearerFailure WrongIssuer(string issuer) => new(
        "InvalidAuthenticationTokenTenant", $"The access token is from the wrong issuer '{issuer}'. Sign in to this server again.");

    public static BearerFailure WrongAudience(string audience, string wanted) => new(
        "InvalidAuthenticationTokenAudience",
        $"The access token was issued for the audience '{audience}', but this server is '{wanted}'.");

    public static BearerFailure Expired(DateTimeOffset expiry, DateTimeOffset now) => new(
        "ExpiredAuthenticationToken",
        $"The access token expiry UTC time '{Text(expiry)}' is earlier than current UTC time '{Text(now)}'.");

    public static BearerFailure NotYetValid(DateTimeOffset notBefore, DateTimeOffset now) => new(
        "InvalidAuthenticationToken",
        $"The access token is valid from UTC time '{Text(notBefore)}', which is later than current UTC time '{Text(now)}'.");

    private static string Text(DateTimeOffset time) => Tokens.TokenError.Timestamp(time);
}
