using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.ResourceGuards;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Restores;

/// <summary>Restore of a recovery point: <c>IaasVMRestoreRequest</c> and <c>AzureFileShareRestoreRequest</c> of bms.json.</summary>
internal static class RestoreEndpoints
{
    public const string RestoreAction = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action";

    private const string MachineWrite = "Microsoft.Compute/virtualMachines/write";

    public static void MapRestores(this IEndpointRouteBuilder routes) => routes.MapVault().MapPost(VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}/restore", TriggerAsync).WithAction(RestoreAction);

    private static async Task<IResult> TriggerAsync(HttpContext context, JobAdmission admission, IItemRepository items)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var point = context.Route("recoveryPointId");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        if (ItemNames.KindOf(native) == ItemKind.FileShare)
        {
            var files = ShareRestoreContract.Read(body, point);
            await RequireTargetAsync(context, vault, native, files, items);
            (await context.GuardPassAsync(vault, body.OptionalObject("properties"))).Require(vault, CriticalOperation.Restore, native);
            return ItemOperation.Accepted(vault, native, await admission.RestoreShareAsync(vault, native, point, files, context.RequestAborted));
        }

        var request = RestoreContract.Read(body, point, PublicUrl.For(context.Request, ""));
        await RequireTargetsAsync(context, vault, native, request, items);
        (await context.GuardPassAsync(vault, body.OptionalObject("properties"))).Require(vault, CriticalOperation.Restore, native);
        var operation = await admission.RestoreAsync(vault, native, point, request, context.RequestAborted);
        return ItemOperation.Accepted(vault, native, operation);
    }

    /// <summary>A restore of files writes to a share, whose account the caller must have the right to write to.</summary>
    public static async Task RequireTargetAsync(HttpContext context, Vault vault, string native, ShareRestoreRequest request, IItemRepository items)
    {
        if (request.TargetAccountId is { } account) context.RequireLinked("Microsoft.Storage/storageAccounts/write", account);
        else if (await items.FindAsync(vault.Key, native, context.RequestAborted) is { Account: { } own }) context.RequireLinked("Microsoft.Storage/storageAccounts/write", own.ResourceId);
    }

    /// <summary>A restore writes to resources that the caller must have the right to write to.</summary>
    public static async Task RequireTargetsAsync(HttpContext context, Vault vault, string native, RestoreRequest request, IItemRepository items)
    {
        if (request.StorageAccountId.Length > 0) context.RequireLinked("Microsoft.Storage/storageAccounts/write", request.StorageAccountId);
        if (request.Target is { } target)
            context.RequireLinked(MachineWrite, ResourceId.ForResource(target.SubscriptionId, target.ResourceGroup, "Microsoft.Compute", "virtualMachines", target.Name).ToString());
        else if (request.TargetResourceGroupId is { } group)
            context.RequireLinked("Microsoft.Compute/disks/write", group);
        if (request.RecoveryType == RecoveryTypes.OriginalLocation && await items.FindAsync(vault.Key, native, context.RequestAborted) is { } item)
            context.RequireLinked(MachineWrite, item.SourceResourceId);
        if (request.SubnetId is { } subnet) context.RequireLinked("Microsoft.Network/virtualNetworks/subnets/join/action", subnet);
    }
}
