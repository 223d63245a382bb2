using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.Resources;
using Strongroom.Arm;

namespace Strongroom.Api.Authorization;

/// <summary><c>Microsoft.Authorization</c>: roles, and who has them.</summary>
internal sealed class AuthorizationProvider : ResourcelessProvider
{
    private const string Title = "Microsoft Authorization";
    private static readonly string[] s_versions = ["2022-04-01", "2020-10-01-preview", "2020-04-01-preview", "2018-09-01-preview", "2018-01-01-preview", "2015-07-01"];

    public override string Namespace => "Microsoft.Authorization";

    public override IReadOnlyList<ResourceTypeInfo> ResourceTypes { get; } = [new("roleAssignments", s_versions, []), new("roleDefinitions", s_versions, []), new("operations", s_versions, [])];

    public override IReadOnlyList<ProviderOperation> Operations { get; } =
    [
        new("Microsoft.Authorization/roleAssignments/read", Title, "Role assignment", "Read role assignments", "Reads or lists role assignments"),
        new("Microsoft.Authorization/roleAssignments/write", Title, "Role assignment", "Assign roles", "Assigns a role over a scope"),
        new("Microsoft.Authorization/roleAssignments/delete", Title, "Role assignment", "Delete role assignments", "Takes a role away"),
        new("Microsoft.Authorization/roleDefinitions/read", Title, "Role definition", "Read role definitions", "Reads or lists roles"),
    ];
}

/// <summary>Registers and maps <c>Microsoft.Authorization</c>.</summary>
public static class AuthorizationModule
{
    public static IServiceCollection AddRoles(this IServiceCollection services) => services.AddSingleton<IResourceProvider, AuthorizationProvider>();

    public static void MapRoles(this IEndpointRouteBuilder routes)
    {
        routes.MapRoleDefinitions();
        routes.MapRoleAssignments();
    }
}
