using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Strongroom.Arm;

/// <summary>What happens to every request before its handler, in one written order.</summary>
public static class ArmPipeline
{
    /// <summary>
    /// Adds, in this order:
    /// <list type="number">
    /// <item>request ids and the headers every answer carries;</item>
    /// <item>the error envelope: whatever goes wrong further in leaves in Resource Manager's shape;</item>
    /// <item>the path's normal form (slashes), before routing;</item>
    /// <item>routing;</item>
    /// <item>the body limit;</item>
    /// <item><paramref name="authentication"/>: the host's own;</item>
    /// <item>api-version, on Resource Manager's own paths;</item>
    /// <item>the caller's quota, on the same paths;</item>
    /// <item>the activity log, where the host has an <see cref="IActivityLog"/>: what changes something is written down before it is answered;</item>
    /// <item>roles, where the host has an <see cref="AccessControl"/>: the caller may do what the endpoint names;</item>
    /// <item>the scope: the subscription and the resource group in the path exist.</item>
    /// </list>
    /// </summary>
    /// <remarks>Needs <see cref="ArmOptions"/>, <see cref="IResourceStore"/> and the <see cref="IResourceProvider"/>s as services, and TimeProvider.</remarks>
    public static IApplicationBuilder UseArmPipeline(this IApplicationBuilder app, Action<IApplicationBuilder>? authentication = null)
    {
        app.ApplicationServices.GetRequiredService<ArmOptions>().Validate();
        app.UseMiddleware<RequestIds>();
        app.UseMiddleware<ErrorEnvelope>();
        app.Use(PathNormalisation.InvokeAsync);
        app.UseRouting();
        app.Use(LimitBodyAsync);
        authentication?.Invoke(app);
        app.Use(CheckApiVersionAsync);
        app.UseMiddleware<RequestQuota>();
        if (app.ApplicationServices.GetService<IActivityLog>() is not null) app.UseMiddleware<ActivityRecording>();
        if (app.ApplicationServices.GetService<AccessControl>() is not null) app.UseMiddleware<Authorization>();
        app.UseMiddleware<ScopeResolution>();
        return app;
    }

    /// <summary>True for the paths that are Resource Manager's: an api-version is obligatory there. Metadata, identity, health, downloads and pages are not.</summary>
    public static bool IsArmPath(PathString path) =>
        path.StartsWithSegments("/subscriptions", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/tenants", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/providers", StringComparison.OrdinalIgnoreCase);

    private static Task LimitBodyAsync(HttpContext context, RequestDelegate next)
    {
        long limitBytes = context.RequestServices.GetRequiredService<ArmOptions>().MaxRequestBodyBytes;
        if (context.Request.ContentLength > limitBytes) throw ArmErrors.RequestEntityTooLarge(limitBytes);
        IHttpMaxRequestBodySizeFeature? limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false }) limit.MaxRequestBodySize = limitBytes;
        return next(context);
    }

    private static Task CheckApiVersionAsync(HttpContext context, RequestDelegate next)
    {
        if (IsArmPath(context.Request.Path)) ApiVersion.Of(context.Request);
        return next(context);
    }
}
