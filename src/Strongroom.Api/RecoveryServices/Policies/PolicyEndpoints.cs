using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Policies;

/// <summary><c>vaults/backupPolicies</c>.</summary>
internal static class PolicyEndpoints
{
    private const string Action = "Microsoft.RecoveryServices/vaults/backupPolicies/";
    private const string Path = "/backupPolicies/{policyName}";

    public static void MapPolicies(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupPolicies", ListAsync).WithAction(Action + "read");
        vault.MapGet(Path, GetAsync).WithAction(Action + "read");
        vault.MapPut(Path, PutAsync).WithAction(Action + "write");
        vault.MapDelete(Path, DeleteAsync).WithAction(Action + "delete");
    }

    private static async Task<IResult> ListAsync(HttpContext context, IPolicyRepository policies)
    {
        var vault = await context.VaultAsync();
        var filter = ODataFilter.Parse(context.Request.Query["$filter"]).OnlyKeys("backupManagementType", "fabricName", "workloadType");
        var all = await policies.ListAsync(vault.Key, context.RequestAborted);
        return ArmResults.List(all
            .Where(p => filter.Allows("backupManagementType", p.Policy.BackupManagementType) && filter.Allows("fabricName", "Azure")
                && filter.Allows("workloadType", PolicyContract.Workload(p.Policy)))
            .Select(p => PolicyContract.ToJson(vault, p)));
    }

    private static async Task<IResult> GetAsync(HttpContext context, IPolicyRepository policies)
    {
        var vault = await context.VaultAsync();
        return ArmResults.Ok(PolicyContract.ToJson(vault, await PolicyAsync(context, vault, policies)));
    }

    /// <summary>200 with the policy, whether it is new or changed: clients have never been answered 202.</summary>
    private static async Task<IResult> PutAsync(HttpContext context, PolicyAdministration administration)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = PolicyContract.FromJson(body);
        var pass = await context.GuardPassAsync(vault, body.OptionalObject("properties"));
        return ArmResults.Ok(PolicyContract.ToJson(vault, await administration.PutAsync(vault, context.Route("policyName"), sent, pass, context.RequestAborted)));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, PolicyAdministration administration)
    {
        var vault = await context.VaultAsync();
        var wasThere = await administration.DeleteAsync(vault, context.Route("policyName"), context.RequestAborted);
        return ArmResults.Empty(wasThere ? StatusCodes.Status200OK : StatusCodes.Status204NoContent);
    }

    /// <summary>The policy that the path names.</summary>
    /// <exception cref="ArmException">404: it does not exist.</exception>
    internal static async Task<PolicyInUse> PolicyAsync(HttpContext context, Vault vault, IPolicyRepository policies)
    {
        var name = context.Route("policyName");
        return await policies.FindInUseAsync(vault.Key, name, context.RequestAborted) ?? throw RecoveryServicesErrors.PolicyNotFound(name, vault.Name);
    }
}
