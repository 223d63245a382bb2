using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ItemLevelRecovery;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Backup.Verification;

namespace Strongroom.Api.RecoveryServices.RestoreVerification;

/// <summary>
/// <c>Strongroom.RecoveryServices</c>, our own: below a policy whether its items' recovery points are booted to prove themselves, below a recovery point what came of it.
/// Resources of their own, since Azure's clients drop members of a policy that they do not know when they write it back.
/// </summary>
internal static class RestoreVerificationEndpoints
{
    private const string PolicyAction = "Microsoft.RecoveryServices/vaults/backupPolicies/";
    private const string PointAction = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read";
    private const string Option = "/backupPolicies/{policyName}/providers/" + RestoreVerificationContract.OptionType + "/default";
    private const string Result = VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}/providers/" + RestoreVerificationContract.ResultType + "/default";

    public static void MapRestoreVerification(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder vault = routes.MapVault();
        vault.MapGet(Option, GetOptionAsync).WithAction(PolicyAction + "read");
        vault.MapPut(Option, PutOptionAsync).WithAction(PolicyAction + "write");
        vault.MapDelete(Option, DeleteOptionAsync).WithAction(PolicyAction + "delete");
        vault.MapGet(Result, GetResultAsync).WithAction(PointAction);
        // What stood on a machine's console is for those who may look into its backups.
        vault.MapGet(Result + "/screenshot", GetScreenshotAsync).WithAction(ItemLevelRecoveryEndpoints.ProvisionAction);
    }

    private static async Task<IResult> GetOptionAsync(HttpContext context, IPolicyRepository policies)
    {
        Vault vault = await context.VaultAsync();
        BackupPolicy policy = await PolicyAsync(context, vault, policies);
        return policy.Verification is { } option
            ? ArmResults.Ok(RestoreVerificationContract.ToJson(vault, policy.Name, option))
            : throw RecoveryServicesErrors.ChildNotFound(vault, $"backupPolicies/{policy.Name}/providers/{RestoreVerificationContract.OptionType}", "default");
    }

    private static async Task<IResult> PutOptionAsync(HttpContext context, IPolicyRepository policies, PolicyVerification verification)
    {
        Vault vault = await context.VaultAsync();
        BackupPolicy policy = await PolicyAsync(context, vault, policies);
        JsonObject body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        Backup.Verification.RestoreVerification option = RestoreVerificationContract.FromJson(body);
        if (option.HostId is { } host) RequireHost(context, vault, host);
        bool isNew = await verification.PutAsync(vault, policy.Name, option, context.RequestAborted);
        JsonObject json = RestoreVerificationContract.ToJson(vault, policy.Name, option);
        return isNew ? ArmResults.Created(json) : ArmResults.Ok(json);
    }

    private static async Task<IResult> DeleteOptionAsync(HttpContext context, IPolicyRepository policies, PolicyVerification verification)
    {
        Vault vault = await context.VaultAsync();
        BackupPolicy policy = await PolicyAsync(context, vault, policies);
        return ArmResults.Empty(await verification.DeleteAsync(vault, policy.Name, context.RequestAborted) ? StatusCodes.Status200OK : StatusCodes.Status204NoContent);
    }

    private static async Task<IResult> GetResultAsync(HttpContext context, PointListing points, IPointVerificationRepository results)
    {
        (Vault vault, ProtectedItem item, string point) = await PointAsync(context, points);
        return ArmResults.Ok(RestoreVerificationContract.ToJson(vault, item, point, await results.FindAsync(item.Key, point, context.RequestAborted)));
    }

    private static async Task<IResult> GetScreenshotAsync(HttpContext context, PointListing points, IPointVerificationRepository results)
    {
        (Vault vault, ProtectedItem item, string point) = await PointAsync(context, points);
        return await results.FindScreenshotAsync(item.Key, point, context.RequestAborted) is { } picture
            ? Results.Bytes(picture, "image/png")
            : throw RecoveryServicesErrors.ChildNotFound(vault, $"recoveryPoints/{point}/providers/{RestoreVerificationContract.ResultType}/default", "screenshot");
    }

    private static async Task<BackupPolicy> PolicyAsync(HttpContext context, Vault vault, IPolicyRepository policies) =>
        (await Policies.PolicyEndpoints.PolicyAsync(context, vault, policies)).Policy;

    private static async Task<(Vault Vault, ProtectedItem Item, string Point)> PointAsync(HttpContext context, PointListing points)
    {
        Vault vault = await context.VaultAsync();
        ProtectedItem item = await context.ItemAsync(vault);
        string name = context.Route("recoveryPointId");
        ListedPoint point = await points.FindAsync(item, name, context.RequestAborted) ?? throw RecoveryServicesErrors.RecoveryPointNotFound(name);
        return (vault, item, point.Name);
    }

    /// <summary>Whoever has machines started on a host may change it.</summary>
    private static void RequireHost(HttpContext context, Vault vault, string host)
    {
        if (!ResourceId.TryParse(host, out ResourceId? id) || !id.IsOfType(Fabric.Hosts.Type) || !string.Equals(id.SubscriptionId, vault.SubscriptionId, StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput($"'hostId' takes the id of a host ({Fabric.Hosts.Type}) of the vault's subscription.", "properties.hostId");
        context.RequireLinked(Fabric.Hosts.Type + "/write", host);
    }
}
