using Strongroom.Identity.Keys;
using Strongroom.Identity.Principals;

namespace Strongroom.Identity;

/// <summary>What the issuer needs to know; fixed for the life of the server.</summary>
public sealed record IdentityOptions
{
    /// <summary>The one tenant of this server: a GUID, compared without regard to case.</summary>
    public required Guid TenantId { get; init; }

    /// <summary>
    /// The address under which the operator knows the server (<c>https://localhost:8443</c>), or null while its port is not
    /// known yet. Tokens for it are valid whatever name a request came under; any other name is valid only for requests
    /// that come under that name.
    /// </summary>
    public Uri? Endpoint { get; init; }

    /// <summary>
    /// The address that URLs handed out begin with, whatever Host header a request brought; null: the one the client used.
    /// </summary>
    public Uri? PublicUrl { get; init; }

    /// <summary>The keys that sign tokens and verify them.</summary>
    public required SigningKeyRing Keys { get; init; }

    /// <summary>Who may sign in.</summary>
    public required IPrincipalStore Principals { get; init; }

    /// <summary>The cloud's name in <c>/metadata/endpoints</c>; Terraform's <c>environment</c> must be equal to it.</summary>
    public string CloudName { get; init; } = "Strongroom";

    /// <summary>
    /// The locations that resources may be in, told to clients which check a location before they send it; empty when any
    /// name will do, and then nothing is told.
    /// </summary>
    public IReadOnlyList<string> Locations { get; init; } = [];

    /// <summary>How long an access token is valid; Microsoft Entra's default is about an hour too.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>By which tokens are dated and verified, and failures to sign in are counted. Clients judge tokens by their own clocks: never one that a tester moves.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Checks the values and their relations.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    internal void Validate()
    {
        if (TenantId == Guid.Empty)
            throw new ArgumentException("IdentityOptions.TenantId must not be the empty GUID.");
        if (Endpoint is not null && (!Endpoint.IsAbsoluteUri || Endpoint.Scheme != Uri.UriSchemeHttps))
            throw new ArgumentException($"IdentityOptions.Endpoint must be an absolute https address, but is '{Endpoint}'.");
        if (TokenLifetime < TimeSpan.FromMinutes(1) || TokenLifetime > TimeSpan.FromDays(1))
            throw new ArgumentException($"IdentityOptions.TokenLifetime must lie between a minute and a day, but is {TokenLifetime}.");
        ArgumentException.ThrowIfNullOrWhiteSpace(CloudName);
    }
}
