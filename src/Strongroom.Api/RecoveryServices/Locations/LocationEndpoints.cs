using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Arm;
using Strongroom.Backup.Vaults;

namespace Strongroom.Api.RecoveryServices.Locations;

/// <summary><c>locations/checkNameAvailability</c> and <c>locations/capabilities</c>.</summary>
internal static class LocationEndpoints
{
    private static readonly string[] SubResources = ["AzureBackup", "AzureBackup_secondary", "AzureSiteRecovery"];

    public static void MapLocations(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/locations/{location}/checkNameAvailability", CheckNameAsync).WithAction("Microsoft.RecoveryServices/locations/checkNameAvailability/action");
        routes.MapPost("/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{location}/capabilities", CapabilitiesAsync).WithAction("Microsoft.RecoveryServices/locations/capabilities/action");
    }

    private static async Task<IResult> CheckNameAsync(HttpContext context, IVaultRepository vaults, ArmOptions options)
    {
        options.RequireLocation(context.Route("location"), "Microsoft.RecoveryServices/locations/checkNameAvailability");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        RequireVaults(body);
        var name = body.RequiredText("name");
        var scope = ArmScope.Of(context);
        if (!ResourceNames.IsVault(name)) return Unavailable("Invalid", "A vault's name has 2 to 50 letters, digits and hyphens, and begins with a letter.");
        // Names of vaults are unique in their group.
        return await vaults.FindAsync(scope.SubscriptionId, scope.GroupName, name, context.RequestAborted) is not null
            ? Unavailable("AlreadyExists", $"The group '{scope.GroupName}' has a vault '{name}' already.")
            : ArmResults.Ok(new JsonObject { ["nameAvailable"] = true });
    }

    /// <summary>What a private endpoint would need of the caller's name servers: no zones, since there are no private endpoints.</summary>
    private static async Task<IResult> CapabilitiesAsync(HttpContext context, ArmOptions options)
    {
        options.RequireLocation(context.Route("location"), "Microsoft.RecoveryServices/locations/capabilities");
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        RequireVaults(body);
        var zones = new JsonArray();
        foreach (var node in body.OptionalObject("properties")?.OptionalArray("dnsZones") ?? [])
        {
            if (node is not JsonObject zone) throw ArmErrors.InvalidRequestContent("an object is expected", "$.properties.dnsZones");
            var sent = zone.RequiredText("subResource");
            var known = SubResources.FirstOrDefault(s => s.Equals(sent, StringComparison.OrdinalIgnoreCase))
                ?? throw RecoveryServicesErrors.InvalidInput($"subResource is one of {string.Join(", ", SubResources)}.", "properties.dnsZones.subResource");
            zones.Add(new JsonObject { ["subResource"] = known, ["requiredZoneNames"] = new JsonArray() });
        }

        return ArmResults.Ok(new JsonObject { ["type"] = "Microsoft.RecoveryServices/Vaults", ["properties"] = new JsonObject { ["dnsZones"] = zones } });
    }

    private static void RequireVaults(JsonObject body)
    {
        var type = body.OptionalText("type");
        if (!BackupPaths.VaultType.Equals(type, StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("type", type, BackupPaths.VaultType);
    }

    private static IResult Unavailable(string reason, string message) => ArmResults.Ok(new JsonObject { ["nameAvailable"] = false, ["reason"] = reason, ["message"] = message });
}
