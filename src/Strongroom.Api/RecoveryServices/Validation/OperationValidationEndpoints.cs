using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Strongroom.Api.RecoveryServices.Operations;
using Strongroom.Api.RecoveryServices.Restores;
using Strongroom.Arm;
using Strongroom.Backup;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Operations;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Validation;

/// <summary>
/// What a restore would meet, without restoring: <c>backupValidateOperation</c> at once, <c>backupTriggerValidateOperation</c> with an operation to track. A request
/// that no restore could read is refused; what a restore would be refused for is in the results, which are empty when nothing stands against it.
/// </summary>
internal static class OperationValidationEndpoints
{
    private const string Response = "validateOperationResponse";
    private const string Action = "Microsoft.RecoveryServices/vaults/";

    public static void MapOperationValidation(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapPost("/backupValidateOperation", ValidateAsync).WithAction(Action + "backupValidateOperation/action");
        vault.MapPost("/backupTriggerValidateOperation", TriggerAsync).WithAction(Action + "backupTriggerValidateOperation/action");
        vault.MapGet("/backupValidateOperationResults/{operationId}", ResultAsync).WithAction(Action + "backupValidateOperationResults/read");
        vault.MapGet("/backupValidateOperationsStatuses/{operationId}", StatusAsync).WithAction(Action + "backupValidateOperationsStatuses/read");
    }

    private static async Task<IResult> ValidateAsync(HttpContext context, JobAdmission admission, IItemRepository items, IResourceStore resources)
    {
        var vault = await context.VaultAsync();
        return ArmResults.Ok(await CheckAsync(context, vault, admission, items, resources));
    }

    private static async Task<IResult> TriggerAsync(HttpContext context, JobAdmission admission, IItemRepository items, IResourceStore resources, IOperationRepository operations, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var result = await CheckAsync(context, vault, admission, items, resources);
        result.Insert(0, "objectType", "OperationStatusValidateOperationExtendedInfo");
        var operation = new AsyncOperation { Id = Guid.NewGuid(), VaultKey = vault.Key, Result = result, StartedAt = time.GetUtcNow() };
        await operations.AddAsync(operation, context.RequestAborted);
        return new LongRunning
        {
            AsyncOperationPath = $"{vault.ResourceId}/backupValidateOperationsStatuses/{operation.Id}",
            LocationPath = $"{vault.ResourceId}/backupValidateOperationResults/{operation.Id}",
        };
    }

    private static async Task<IResult> ResultAsync(HttpContext context, IOperationRepository operations)
    {
        var (_, result) = await FindAsync(context, operations);
        return ArmResults.Ok(new JsonObject { [Response] = result.DeepClone() });
    }

    private static async Task<IResult> StatusAsync(HttpContext context, IOperationRepository operations)
    {
        var (operation, _) = await FindAsync(context, operations);
        return ArmResults.Ok(new OperationState(operation, null).ToJson());
    }

    private static async Task<(AsyncOperation Operation, JsonNode Result)> FindAsync(HttpContext context, IOperationRepository operations)
    {
        var vault = await context.VaultAsync();
        var id = context.Route("operationId");
        var operation = Guid.TryParseExact(id, "D", out var guid) ? await operations.FindAsync(vault.Key, guid, context.RequestAborted) : null;
        return operation?.Result?[Response] is { } result ? (operation, result) : throw RecoveryServicesErrors.OperationNotFound(id);
    }

    private static async Task<JsonObject> CheckAsync(HttpContext context, Vault vault, JobAdmission admission, IItemRepository items, IResourceStore resources)
    {
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var (native, point) = Point(body.RequiredText("id"), vault);
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        var type = properties.OptionalText("objectType");
        if (type?.ToUpperInvariant() is not ("VALIDATEIAASVMRESTOREOPERATIONREQUEST" or "VALIDATERESTOREOPERATIONREQUEST"))
            throw RecoveryServicesErrors.InvalidType("objectType", type, "ValidateIaasVMRestoreOperationRequest", "ValidateRestoreOperationRequest");
        var restore = properties.OptionalObject("restoreRequest") ?? throw RecoveryServicesErrors.InvalidInput("'restoreRequest' is missing.", "properties.restoreRequest");
        var results = new JsonArray();
        try
        {
            var sent = new JsonObject { ["properties"] = restore.DeepClone() };
            if (ItemNames.KindOf(native) == ItemKind.FileShare)
            {
                var files = ShareRestoreContract.Read(sent, point);
                await RestoreEndpoints.RequireTargetAsync(context, vault, native, files, items);
                await admission.CheckRestoreShareAsync(vault, native, point, files, context.RequestAborted);
                if (ShareAccountId.TryParse(files.TargetAccountId, out var target) && await FindAsync(context, target) is null) results.Add(Result(JobErrors.StorageAccountMissing(target.Name)));
                return Answer(results);
            }

            var request = RestoreContract.Read(sent, point, PublicUrl.For(context.Request, ""));
            await RestoreEndpoints.RequireTargetsAsync(context, vault, native, request, items);
            await admission.CheckRestoreAsync(vault, native, point, request, context.RequestAborted);
            if (await resources.GetAsync(ResourceId.Parse(request.StorageAccountId), context.RequestAborted) is null)
                results.Add(Result(JobErrors.StorageAccountMissing(request.StorageAccount)));
        }
        catch (BackupRefusedException refused)
        {
            var error = RecoveryServicesErrors.From(refused);
            results.Add(Result(error.Code, error.Message, []));
        }

        return Answer(results);
    }

    private static Task<ShareAccount?> FindAsync(HttpContext context, ShareAccountId id) =>
        context.RequestServices.GetRequiredService<IFileShareFabric>().FindAccountAsync(id.SubscriptionId, id.ResourceGroup, id.Name, context.RequestAborted);

    private static JsonObject Answer(JsonArray results) => new() { [Response] = new JsonObject { ["validationResults"] = results } };

    /// <summary>The recovery point that an id names.</summary>
    private static (string NativeName, string Point) Point(string text, Vault vault)
    {
        var isPoint = ResourceId.TryParse(text, out var id) && id.IsOfType(BackupPaths.VaultType + "/backupFabrics/protectionContainers/protectedItems/recoveryPoints");
        var native = isPoint ? ItemNames.FromPath(id!.Parent!.Parent!.Name, id.Parent.Name) : null;
        var isOurs = isPoint && id!.ToString().StartsWith(vault.ResourceId + "/", StringComparison.OrdinalIgnoreCase);
        return native is not null && isOurs
            ? (native, id!.Name)
            : throw RecoveryServicesErrors.InvalidInput("'id' is not the id of a recovery point of this vault.", "id");
    }

    private static JsonObject Result(JobError error) => Result(error.Title, error.Message, error.Recommendations);

    private static JsonObject Result(string code, string message, IEnumerable<string> recommendations) => new()
    {
        ["code"] = code,
        ["message"] = message,
        ["recommendations"] = new JsonArray([.. recommendations.Select(r => (JsonNode)r)]),
    };
}
