using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Arm;
using Strongroom.Backup;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines;

namespace Strongroom.Api.RecoveryServices.Restores;

/// <summary>Restore of a recovery point: <c>IaasVMRestoreRequest</c> of bms.json.</summary>
internal static class RestoreEndpoints
{
    public static void MapRestores(this IEndpointRouteBuilder routes) => routes.MapVault().MapPost(VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}/restore", TriggerAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action");

    private static async Task<IResult> TriggerAsync(HttpContext context, JobAdmission admission)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var point = context.Route("recoveryPointId");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var request = Read(body, point, PublicUrl.For(context.Request, ""));
        RequireTargets(context, request);
        var operation = await admission.RestoreAsync(vault, native, point, request, context.RequestAborted);
        return ItemOperation.Accepted(vault, native, operation);
    }

    /// <summary>The caller may write where the disks go.</summary>
    public static void RequireTargets(HttpContext context, RestoreRequest request)
    {
        context.RequireLinked("Microsoft.Storage/storageAccounts/write", request.StorageAccountId);
        if (request.TargetResourceGroupId is { } group) context.RequireLinked("Microsoft.Compute/disks/write", group);
    }

    public static RestoreRequest Read(JsonObject body, string point, string endpoint)
    {
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        var type = properties.OptionalText("objectType");
        if (!string.Equals(type, "IaasVMRestoreRequest", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("objectType", type, "IaasVMRestoreRequest");
        if (properties.OptionalText("recoveryPointId") is { Length: > 0 } named && named != point)
            throw RecoveryServicesErrors.InvalidInput("'recoveryPointId' is not the recovery point in the path.", "properties.recoveryPointId");
        properties.CheckTexts("sourceResourceId", "region", "targetVirtualMachineId", "virtualNetworkId", "subnetId", "targetDomainNameId", "affinityGroup", "diskEncryptionSetId");
        properties.CheckFlags("createNewCloudService", "originalStorageAccountOption", "restoreWithManagedDisks");
        properties.CheckObjects("encryptionDetails", "identityInfo", "identityBasedRestoreDetails", "securedVMDetails", "extendedLocation");
        properties.CheckArrays("zones", "resourceGuardOperationRequests");
        RequireRestoreDisks(properties.OptionalText("recoveryType"));

        var account = properties.OptionalText("storageAccountId");
        if (!ResourceId.TryParse(account, out var accountId) || !accountId.IsOfType("Microsoft.Storage/storageAccounts") || !ResourceNames.IsStorageAccount(accountId.Name.ToLowerInvariant()))
            throw RecoveryServicesErrors.InvalidInput("'storageAccountId' must be the id of the storage account that receives the disks.", "properties.storageAccountId");
        var group = properties.OptionalText("targetResourceGroupId");
        if (!string.IsNullOrEmpty(group) && (!ResourceId.TryParse(group, out var groupId) || groupId.ResourceGroup is null || groupId.ProviderNamespace is not null))
            throw RecoveryServicesErrors.InvalidInput("'targetResourceGroupId' is not the id of a resource group.", "properties.targetResourceGroupId");
        return new(point, accountId.ToString(), Luns(properties), string.IsNullOrEmpty(group) ? null : group, endpoint);
    }

    private static void RequireRestoreDisks(string? recoveryType)
    {
        switch (recoveryType)
        {
            case "RestoreDisks":
                return;
            case "AlternateLocation" or "OriginalLocation":
                throw new BackupRefusedException(BackupRefusal.NotSupported, $"This version of Strongroom restores disks only; recoveryType '{recoveryType}' is not supported yet. Use 'RestoreDisks'.");
            default:
                throw RecoveryServicesErrors.InvalidType("recoveryType", recoveryType, "RestoreDisks");
        }
    }

    private static ImmutableArray<int>? Luns(JsonObject properties)
    {
        if (properties.Field("restoreDiskLunList") is not { } sent) return null;
        if (sent is not JsonArray list) throw RecoveryServicesErrors.InvalidInput("'restoreDiskLunList' must be a list of LUNs.", "properties.restoreDiskLunList");
        if (list.Count == 0) return null;
        var luns = ImmutableArray.CreateBuilder<int>(list.Count);
        foreach (var entry in list)
        {
            // -1 is the operating system's disk.
            if (entry is not JsonValue value || value.GetValueKind() != JsonValueKind.Number || !value.TryGetValue(out int lun) || lun is < -1 or > 63)
                throw RecoveryServicesErrors.InvalidInput("'restoreDiskLunList' holds something that is not a LUN.", "properties.restoreDiskLunList");
            luns.Add(lun);
        }

        return [.. luns.Distinct()];
    }
}
