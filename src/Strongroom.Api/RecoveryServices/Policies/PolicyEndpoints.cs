using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Policies;

/// <summary><c>vaults/backupPolicies</c>: listed and read.</summary>
internal static class PolicyEndpoints
{
    public static void MapPolicies(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupPolicies", ListAsync).WithAction("Microsoft.RecoveryServices/vaults/backupPolicies/read");
        vault.MapGet("/backupPolicies/{policyName}", GetAsync).WithAction("Microsoft.RecoveryServices/vaults/backupPolicies/read");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IPolicyRepository policies)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "fabricName", "workloadType");
        var all = await policies.ListAsync(vault.Key, context.RequestAborted);
        return ArmResults.List(all
            .Where(p => filter.Allows("backupManagementType", p.Policy.BackupManagementType) && filter.Allows("fabricName", "Azure") && filter.Allows("workloadType", Workload(p.Policy)))
            .Select(p => ToJson(vault, p.Policy, p.ProtectedItems)));
    }

    private static async Task<IResult> GetAsync(HttpContext context, IPolicyRepository policies)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("policyName");
        var found = (await policies.ListAsync(vault.Key, context.RequestAborted)).FirstOrDefault(p => p.Policy.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return found.Policy is null ? throw RecoveryServicesErrors.PolicyNotFound(name, vault.Name) : ArmResults.Ok(ToJson(vault, found.Policy, found.ProtectedItems));
    }

    private static JsonObject ToJson(Vault vault, BackupPolicy policy, int protectedItems)
    {
        var properties = (JsonObject)policy.Properties.DeepClone();
        properties["protectedItemsCount"] = protectedItems;
        return new()
        {
            ["id"] = BackupPaths.Policy(vault, policy.Name),
            ["name"] = policy.Name,
            ["type"] = BackupPaths.VaultType + "/backupPolicies",
            ["properties"] = properties,
        };
    }

    private static string? Workload(BackupPolicy policy) => policy.BackupManagementType == "AzureIaasVM" ? "VM" : policy.Properties["workLoadType"]?.GetValue<string>();
}
