using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.VaultConfigs;

/// <summary><c>backupEncryptionConfigs/backupResourceEncryptionConfig</c>: every vault has keys of its own, wrapped by the server's master key.</summary>
internal static class EncryptionConfigEndpoints
{
    private static readonly string[] Off = ["Disabled", "Invalid", "false"];

    public static void MapEncryptionConfigs(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet("/backupEncryptionConfigs/backupResourceEncryptionConfig", (Delegate)GetAsync).WithAction("Microsoft.RecoveryServices/vaults/backupEncryptionConfigs/read");
        vault.MapPut("/backupEncryptionConfigs/backupResourceEncryptionConfig", (Delegate)PutAsync).WithAction("Microsoft.RecoveryServices/vaults/backupEncryptionConfigs/write");
    }

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        return ArmResults.Ok(VaultConfigEndpoints.Envelope(vault, "backupEncryptionConfigs", "backupResourceEncryptionConfig", new JsonObject
        {
            ["encryptionAtRestType"] = "MicrosoftManaged",
            ["useSystemAssignedIdentity"] = true,
            ["lastUpdateStatus"] = "NotEnabled",
            ["infrastructureEncryptionState"] = "Disabled",
        }));
    }

    /// <summary>What is there already is accepted; a key of the caller's own, or a second layer, would be a lie about security and is refused.</summary>
    private static async Task<IResult> PutAsync(HttpContext context)
    {
        await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        sent.CheckTexts("subscriptionId", "lastUpdateStatus", "userAssignedIdentity");
        sent.CheckFlags("useSystemAssignedIdentity");
        var type = sent.RequiredText("encryptionAtRestType");
        if (!type.Equals("MicrosoftManaged", StringComparison.OrdinalIgnoreCase))
        {
            throw type.Equals("CustomerManaged", StringComparison.OrdinalIgnoreCase)
                ? RecoveryServicesErrors.NotSupported("Customer-managed keys are not supported: a vault is encrypted with keys of its own, which the server's master key wraps.")
                : RecoveryServicesErrors.InvalidType("encryptionAtRestType", type, "MicrosoftManaged");
        }

        if (sent.OptionalText("keyUri") is { Length: > 0 }) throw RecoveryServicesErrors.InvalidInput("A keyUri belongs to customer-managed keys, which are not supported.", "properties.keyUri");
        if (sent.OptionalText("infrastructureEncryptionState") is { } second && !Off.Contains(second, StringComparer.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.NotSupported("A second layer of encryption (infrastructureEncryptionState) is not supported.");
        return ArmResults.Empty(StatusCodes.Status200OK);
    }

}
