using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Tiering;

/// <summary>
/// Moves of recovery points to an archive tier, and what they would save. There is no archive tier: no point is recommended, a move is refused, and
/// nothing is saved by it. The costs are answered at once, so there is no operation to look at.
/// </summary>
internal static class TieringEndpoints
{
    private const string Savings = "FetchTieringCostSavingsInfoFor";
    private const string Rehydration = "FetchTieringCostInfoForRehydrationRequest";
    private const string Items = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/";
    private const string Costs = "Microsoft.RecoveryServices/vaults/backupTieringCost/";
    private const string NoArchive = "This installation has no archive tier: recovery points stay in the vault's own storage.";

    public static void MapTiering(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapPost(VaultRequest.ItemPath + "/recoveryPoints/{recoveryPointId}/move", MoveAsync).WithAction(Items + "recoveryPoints/move/action");
        vault.MapPost(VaultRequest.ItemPath + "/recoveryPointsRecommendedForMove", (Delegate)ListRecommendedAsync).WithAction(Items + "recoveryPointsRecommendedForMove/action");
        vault.MapPost("/backupTieringCost/default/fetchTieringCost", FetchCostAsync).WithAction(Costs + "fetchTieringCost/action");
        vault.MapGet("/backupTieringCost/default/operationResults/{operationId}", (Delegate)NoOperationAsync).WithAction(Costs + "operationResults/read");
        vault.MapGet("/backupTieringCost/default/operationsStatus/{operationId}", (Delegate)NoOperationAsync).WithAction(Costs + "operationsStatus/read");
    }

    private static async Task<IResult> MoveAsync(HttpContext context, PointListing points)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        CheckType(body, "MoveRPAcrossTiersRequest");
        CheckTiers(body);
        await RequirePointAsync(await context.ItemAsync(vault), context.Route("recoveryPointId"), points, context.RequestAborted);
        throw RecoveryServicesErrors.NotSupported(NoArchive);
    }

    private static async Task<IResult> ListRecommendedAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        CheckType(body, "ListRecoveryPointsRecommendedForMoveRequest");
        body.CheckArrays("excludedRPList");
        await context.ItemAsync(vault);
        return ArmResults.List([]);
    }

    private static async Task<IResult> FetchCostAsync(HttpContext context, IItemRepository items, IPolicyRepository policies, PointListing points)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        CheckTiers(body);
        switch (body.OptionalText("objectType"))
        {
            case Savings + "VaultRequest":
                break;
            case Savings + "PolicyRequest":
                var policy = body.RequiredText("policyName");
                if (await policies.FindAsync(vault.Key, policy, context.RequestAborted) is null) throw RecoveryServicesErrors.PolicyNotFound(policy, vault.Name);
                break;
            case Savings + "ProtectedItemRequest":
                await ItemAsync(vault, body, items, context.RequestAborted);
                break;
            case Rehydration:
                body.RequiredText("rehydrationPriority");
                var item = await ItemAsync(vault, body, items, context.RequestAborted);
                await RequirePointAsync(item, body.RequiredText("recoveryPointId"), points, context.RequestAborted);
                throw RecoveryServicesErrors.NotSupported("The recovery point is not archived. " + NoArchive);
            case var type:
                throw RecoveryServicesErrors.InvalidType("objectType", type, Savings + "VaultRequest", Savings + "PolicyRequest", Savings + "ProtectedItemRequest", Rehydration);
        }

        return ArmResults.Ok(new JsonObject
        {
            ["objectType"] = "TieringCostSavingInfo",
            ["sourceTierSizeReductionInBytes"] = 0,
            ["targetTierSizeIncreaseInBytes"] = 0,
            ["retailSourceTierCostPerGBPerMonth"] = 0.0,
            ["retailTargetTierCostPerGBPerMonth"] = 0.0,
        });
    }

    private static async Task<IResult> NoOperationAsync(HttpContext context)
    {
        await context.VaultAsync();
        throw RecoveryServicesErrors.OperationNotFound(context.Route("operationId"));
    }

    private static async Task<ProtectedItem> ItemAsync(Vault vault, JsonObject body, IItemRepository items, CancellationToken cancellationToken)
    {
        var container = body.RequiredText("containerName");
        if (ItemNames.FromContainer(container) is null) throw RecoveryServicesErrors.ContainerNotFound(container);
        return (ItemNames.FromPath(container, body.RequiredText("protectedItemName")) is { } native ? await items.FindAsync(vault.Key, native, cancellationToken) : null)
            ?? throw RecoveryServicesErrors.ItemNotFound($"The item is not protected in vault '{vault.Name}'.");
    }

    private static async Task RequirePointAsync(ProtectedItem item, string name, PointListing points, CancellationToken cancellationToken)
    {
        if (await points.FindAsync(item, name, cancellationToken) is null) throw RecoveryServicesErrors.RecoveryPointNotFound(name);
    }

    private static void CheckType(JsonObject body, string type)
    {
        // There is one type for each of these bodies, and az leaves it out.
        if (body.OptionalText("objectType") is { } sent && !type.Equals(sent, StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("objectType", sent, type);
    }

    private static void CheckTiers(JsonObject body)
    {
        foreach (var name in (string[])["sourceTierType", "targetTierType"])
        {
            if (body.RequiredText(name).ToUpperInvariant() is not ("INSTANTRP" or "HARDENEDRP" or "ARCHIVEDRP"))
                throw RecoveryServicesErrors.InvalidInput($"'{name}' is one of InstantRP, HardenedRP, ArchivedRP.", name);
        }
    }
}
