using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Vaults;

/// <summary><c>extendedInformation/vaultExtendedInfo</c>: keys that agents and older clients keep with a vault. They are kept for them, and mean nothing to the server.</summary>
internal static class VaultExtendedInfoEndpoints
{
    private const string Path = "/extendedInformation/vaultExtendedInfo";
    private static readonly string[] Members = ["integrityKey", "encryptionKey", "encryptionKeyThumbprint", "algorithm"];

    public static void MapVaultExtendedInfo(this IEndpointRouteBuilder routes)
    {
        var vault = routes.MapVault();
        vault.MapGet(Path, (Delegate)GetAsync).WithAction("Microsoft.RecoveryServices/vaults/extendedInformation/read");
        vault.MapMethods(Path, ["PUT", "PATCH"], ChangeAsync).WithAction("Microsoft.RecoveryServices/vaults/extendedInformation/write");
    }

    private static async Task<IResult> GetAsync(HttpContext context)
    {
        var vault = await context.VaultAsync();
        return vault.ExtendedInfo is { } info
            ? ArmResults.Ok(ToJson(vault, info))
            : throw ArmErrors.Custom(StatusCodes.Status404NotFound, "ResourceExtendedInfoNotFound", $"Vault '{vault.Name}' has no extended information yet; a PUT makes it.");
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, VaultLifecycle lifecycle)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var sent = body.OptionalObject("properties") ?? throw ArmErrors.InvalidRequestContent("an object is required", "$.properties");
        var expected = context.Request.Headers.IfMatch.ToString() is { Length: > 0 } header ? header : body.OptionalText("etag");
        var changed = await lifecycle.UpdateAsync(vault, existing =>
        {
            if (expected is not (null or "*") && existing.ExtendedInfo?["etag"]?.GetValue<string>() is { } etag && etag != expected)
                throw ArmErrors.PreconditionFailed("vaultExtendedInfo");
            return existing with { ExtendedInfo = Apply(sent, HttpMethods.IsPatch(context.Request.Method) ? existing.ExtendedInfo : null) };
        }, context.RequestAborted);
        return changed is null ? throw VaultRequest.NotFound(ArmScope.Of(context), vault.Name) : ArmResults.Ok(ToJson(changed, changed.ExtendedInfo!));
    }

    private static JsonObject Apply(JsonObject sent, JsonObject? existing)
    {
        var info = existing is null ? [] : (JsonObject)existing.DeepClone();
        foreach (var name in Members)
        {
            if (sent.HasField(name)) info[name] = sent.OptionalText(name);
        }

        info["etag"] = Guid.NewGuid().ToString();
        return info;
    }

    private static JsonObject ToJson(Vault vault, JsonObject info)
    {
        var properties = new JsonObject();
        foreach (var name in Members)
        {
            if (info[name] is { } value) properties[name] = value.DeepClone();
        }

        return new()
        {
            ["id"] = vault.ResourceId + Path,
            ["name"] = "vaultExtendedInfo",
            ["type"] = BackupPaths.VaultType + "/extendedInformation",
            ["etag"] = info["etag"]!.DeepClone(),
            ["properties"] = properties,
        };
    }
}
