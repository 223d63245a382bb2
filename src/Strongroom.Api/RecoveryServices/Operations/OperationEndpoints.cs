using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.RecoveryServices.ItemLevelRecovery;
using Strongroom.Api.RecoveryServices.Policies;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Api.RecoveryServices.ProtectionContainers;
using Strongroom.Arm;
using Strongroom.Backup.Containers;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Policies;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Operations;

/// <summary>
/// The tracking URLs. One operation answers under each family, because some clients follow the URL they were given and others take its last
/// part and build their own.
/// </summary>
internal static class OperationEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        foreach (var (path, action) in ((string Path, string Action)[])[
            ("/backupOperations/{operationId}", "backupOperations/read"),
            ("/backupFabrics/{fabricName}/operationsStatus/{operationId}", "backupOperations/read"),
            (VaultRequest.ContainerPath + "/operationsStatus/{operationId}", "backupFabrics/protectionContainers/operationsStatus/read"),
            (VaultRequest.ItemPath + "/operationsStatus/{operationId}", "backupFabrics/protectionContainers/protectedItems/operationsStatus/read"),
            ("/backupJobs/{jobName}/operationsStatus/{operationId}", "backupJobs/operationsStatus/read"),
            ("/backupPolicies/{policyName}/operations/{operationId}", "backupPolicies/operations/read")])
            vault.MapGet(path, (Delegate)StatusAsync).WithAction("Microsoft.RecoveryServices/vaults/" + action);

        foreach (var (path, action) in ((string Path, string Action)[])[
            ("/backupOperationResults/{operationId}", "backupOperationResults/read"),
            ("/backupFabrics/{fabricName}/operationResults/{operationId}", "backupFabrics/operationResults/read"),
            ("/backupJobs/{jobName}/operationResults/{operationId}", "backupJobs/operationResults/read")])
            vault.MapGet(path, (Delegate)ResultAsync).WithAction("Microsoft.RecoveryServices/vaults/" + action);

        vault.MapGet("/backupPolicies/{policyName}/operationResults/{operationId}", PolicyResultAsync).WithAction("Microsoft.RecoveryServices/vaults/backupPolicies/operationResults/read");
        vault.MapGet(VaultRequest.ContainerPath + "/operationResults/{operationId}", ContainerResultAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/operationResults/read");
        vault.MapGet(VaultRequest.ItemPath + "/operationResults/{operationId}", (Delegate)ItemResultAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/operationResults/read");
    }

    private static async Task<IResult> StatusAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        var state = await StateAsync(context, vault);
        var json = state.ToJson();
        if (context.RecoveryScripts(vault, state.Operation.Id) is { } scripts) json["properties"] = scripts;
        return ArmResults.Ok(json);
    }

    /// <summary>202 while it runs, then 204.</summary>
    private static async Task<IResult> ResultAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        var state = await StateAsync(context, vault);
        if (state.Error is { } error) throw error;
        return state.IsRunning ? Again(context, state) : ArmResults.Empty(StatusCodes.Status204NoContent);
    }

    /// <summary>202 while it runs, then the item; 204 when the item is gone.</summary>
    private static async Task<IResult> ItemResultAsync(HttpContext context, IItemRepository items, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var state = await StateAsync(context, vault);
        if (state.Error is { } error) throw error;
        if (state.IsRunning) return Again(context, state);
        var item = await items.FindAsync(vault.Key, native, context.RequestAborted);
        return item is null ? ArmResults.Empty(StatusCodes.Status204NoContent) : ArmResults.Ok(ProtectedItemContract.ToJson(context.Request, vault, item, time.GetUtcNow()));
    }

    /// <summary>202 while it runs, then the storage account that is registered; 204 for others.</summary>
    private static async Task<IResult> ContainerResultAsync(HttpContext context, IItemRepository items, IContainerRepository containers)
    {
        var vault = await context.VaultAsync();
        var name = context.Route("containerName");
        var state = await StateAsync(context, vault);
        if (state.Error is { } error) throw error;
        if (state.IsRunning) return Again(context, state);
        var isAccount = ItemNames.FromContainer(name) is { } native && ItemNames.KindOf(native) == ItemKind.FileShare;
        var container = isAccount ? await ContainerEndpoints.FindAsync(vault, name, items, containers, context.RequestAborted) : null;
        return container is null ? ArmResults.Empty(StatusCodes.Status204NoContent) : ArmResults.Ok(container);
    }

    /// <summary>202 while it runs, then the policy. A policy's own writes are over when they are answered: none of these is handed out for them.</summary>
    private static async Task<IResult> PolicyResultAsync(HttpContext context, IPolicyRepository policies)
    {
        var vault = await context.VaultAsync();
        var state = await StateAsync(context, vault);
        if (state.Error is { } error) throw error;
        return state.IsRunning ? Again(context, state) : ArmResults.Ok(PolicyContract.ToJson(vault, await PolicyEndpoints.PolicyAsync(context, vault, policies)));
    }

    private static LongRunning Again(HttpContext context, OperationState state)
    {
        // The same URL again: whoever follows it stays in its family.
        var path = context.Request.Path.Value!;
        var status = path.Contains("/backupPolicies/", StringComparison.OrdinalIgnoreCase) ? "/operations/" : "/operationsStatus/";
        return new()
        {
            LocationPath = path,
            AsyncOperationPath = path.Replace("/operationResults/", status, StringComparison.OrdinalIgnoreCase)
                .Replace("/backupOperationResults/", "/backupOperations/", StringComparison.OrdinalIgnoreCase),
            Body = state.Operation.Result,
        };
    }

    private static async Task<OperationState> StateAsync(HttpContext context, Vault vault)
    {
        var id = context.Route("operationId");
        var operations = context.RequestServices.GetRequiredService<IOperationRepository>();
        var operation = Guid.TryParseExact(id, "D", out var guid) ? await operations.FindAsync(vault.Key, guid, context.RequestAborted) : null;
        if (operation is null) throw RecoveryServicesErrors.OperationNotFound(id);
        var job = operation.JobId is { } jobId
            ? await context.RequestServices.GetRequiredService<IJobLedger>().FindAsync(vault.Key, jobId, context.RequestAborted)
            : null;
        return new(operation, job);
    }
}
