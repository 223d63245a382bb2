using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Resources;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;

namespace Strongroom.Api.DataProtection;

/// <summary><c>Microsoft.DataProtection</c>: resource guards alone. Backup vaults of that provider do not exist here.</summary>
internal sealed class DataProtectionProvider(IResourceStore store, ResourceGuards guards) : StoredResourceProvider(store)
{
    private static readonly string[] s_versions =
        ["2025-07-01", "2025-01-01", "2024-04-01", "2024-03-01", "2023-12-01", "2023-11-01", "2023-05-01", "2023-01-01", "2022-12-01", "2022-05-01", "2022-04-01", "2022-03-01", "2021-07-01"];

    public override string Namespace => "Microsoft.DataProtection";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } = [new("resourceGuards", s_versions), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        Of("read", "Read resource guards", "Gets or lists resource guards"),
        Of("write", "Write resource guards", "Makes or changes a resource guard"),
        Of("delete", "Delete resource guards", "Deletes a resource guard that no vault is under"),
        .. CriticalOperation.All.Select(static o => Of(o.RequestType + "/read", "Read requests", $"Gets what stands for '{o.Name}' in a resource guard")),
        .. CriticalOperation.All.Select(static o => new ProviderOperation($"{ResourceGuards.Type}/{o.RequestType}/action", "Microsoft Data Protection", "Resource Guards", "Perform a critical operation",
            $"Performs '{o.Name}' on a vault that is under the resource guard")),
    ];

    protected override IReadOnlyList<string> StoredTypes => [ResourceGuards.Type];

    public override Task<ArmException?> CanDeleteAsync(ResourceId id, CancellationToken cancellationToken) => guards.FindObstacleAsync(id, isWithGroup: true, cancellationToken);

    public override Task DeleteAsync(ResourceId id, CancellationToken cancellationToken) => guards.DeleteAsync(id, cancellationToken);

    private static ProviderOperation Of(string name, string operation, string description) =>
        new("Microsoft.DataProtection/subscriptions/resourceGroups/providers/resourceGuards/" + name, "Microsoft Data Protection", "Resource Guards", operation, description);
}

/// <summary>Registers and maps <c>Microsoft.DataProtection</c>. In a deletion of a group its guards go after the vaults: it is registered after Recovery Services.</summary>
public static class DataProtectionModule
{
    public static IServiceCollection AddDataProtectionGuards(this IServiceCollection services) =>
        services.AddSingleton<ResourceGuards>().AddSingleton<IResourceProvider, DataProtectionProvider>();

    public static void MapDataProtectionGuards(this IEndpointRouteBuilder routes) => routes.MapResourceGuards();
}
