using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Insights;

/// <summary><c>Microsoft.Insights</c>: the activity log alone.</summary>
internal sealed class InsightsProvider : ResourcelessProvider
{
    private static readonly string[] s_versions = ["2015-04-01", "2017-03-01-preview"];

    public override string Namespace => "Microsoft.Insights";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } = [new("eventtypes", s_versions, []), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
        [new("Microsoft.Insights/eventtypes/values/read", "Microsoft Insights", "Activity log", "Read the activity log", "Lists who changed what, and what came of it")];
}

/// <summary>Registers and maps <c>Microsoft.Insights</c>. It needs an <see cref="IActivityLog"/>.</summary>
public static class InsightsModule
{
    public static IServiceCollection AddInsights(this IServiceCollection services) => services.AddSingleton<IResourceProvider, InsightsProvider>();

    public static void MapInsights(this IEndpointRouteBuilder routes) => routes.MapActivityLog();
}
