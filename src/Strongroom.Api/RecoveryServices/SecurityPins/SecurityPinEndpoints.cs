using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.ResourceGuards;

namespace Strongroom.Api.RecoveryServices.SecurityPins;

/// <summary>
/// <c>vaults/backupSecurityPIN</c>: a number that a person types into an agent before it deletes backup data (<c>TokenInformation</c> of bms.json). No operation
/// on virtual machines takes one, and there are no agents here, so nothing is kept of it.
/// </summary>
internal static class SecurityPinEndpoints
{
    private static readonly TimeSpan ValidFor = TimeSpan.FromMinutes(5);

    public static void MapSecurityPins(this IEndpointRouteBuilder routes) =>
        routes.MapVault().MapPost("/backupSecurityPIN", PostAsync).WithAction("Microsoft.RecoveryServices/vaults/backupSecurityPIN/action");

    private static async Task<IResult> PostAsync(HttpContext context, TimeProvider time)
    {
        var vault = await context.VaultAsync();
        var body = await ArmJson.ReadOptionalObjectAsync(context.Request, context.RequestAborted);
        (await context.GuardPassAsync(vault, body)).Require(vault, CriticalOperation.GetSecurityPin);
        var pin = RandomNumberGenerator.GetInt32(100_000, 1_000_000).ToString(CultureInfo.InvariantCulture);
        return ArmResults.Ok(new JsonObject { ["token"] = pin, ["expiryTimeInUtcTicks"] = (time.GetUtcNow() + ValidFor).UtcTicks, ["securityPIN"] = pin });
    }
}
