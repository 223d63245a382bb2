using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Server;
using Strongroom.Identity.Bearer;
using Strongroom.Identity.Discovery;
using Strongroom.Identity.Tokens;

namespace Strongroom.Identity;

/// <summary>How a server takes in the issuer: services, then middleware, then endpoints; all three are needed.</summary>
public static class StrongroomIdentityExtensions
{
    /// <summary>
    /// Adds the issuer and the verification of its tokens. From then on every request needs a token, also to paths that do
    /// not exist, except for endpoints that allow anonymous callers.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public static IServiceCollection AddStrongroomIdentity(this IServiceCollection services, IdentityOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        services.AddSingleton(options);
        services.AddSingleton<BearerTokens>();
        services.AddSingleton<SignInThrottle>();
        services.AddSingleton<TokenEndpoint>();
        services.AddSingleton<OpenIdDocuments>();
        services.AddSingleton<CloudMetadata>();

        services.AddOpenIddict().AddServer(server =>
        {
            TokenEndpoint.Configure(server);
            server.AddSigningCredentials(options.Keys.Current.Credentials);
        });
        services.AddOptions<OpenIddictServerOptions>().Configure(server => server.TimeProvider = options.Time);

        services.Configure<KeyManagementOptions>(keys => keys.XmlRepository = new ForgetfulKeyRepository());

        // Both tell of every request, or of keys that are not used; what matters is logged by the token endpoint.
        services.AddLogging(logging => logging
            .AddFilter("OpenIddict", LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error));

        services.AddAuthentication(StrongroomIdentityDefaults.AuthenticationScheme)
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(StrongroomIdentityDefaults.AuthenticationScheme, null);
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        return services;
    }

    /// <summary>
    /// Adds token paths, authentication and authorization to the pipeline. Goes after what restores the client's scheme and
    /// host (forwarded headers) and after routing, and before everything that needs to know the caller.
    /// </summary>
    public static IApplicationBuilder UseStrongroomIdentity(this IApplicationBuilder app)
    {
        app.Use(app.ApplicationServices.GetRequiredService<CloudMetadata>().AnswerDoubleSlashAsync);
        app.UseMiddleware<TokenPathMiddleware>();
        app.UseAuthentication();
        app.UseAuthorization();
        return app;
    }

    /// <summary>Maps the discovery documents, the key set and <c>/metadata/endpoints</c>; all of them allow anonymous callers.</summary>
    public static IEndpointRouteBuilder MapStrongroomIdentity(this IEndpointRouteBuilder endpoints)
    {
        endpoints.ServiceProvider.GetRequiredService<OpenIdDocuments>().Map(endpoints);
        endpoints.ServiceProvider.GetRequiredService<CloudMetadata>().Map(endpoints);
        return endpoints;
    }
}
