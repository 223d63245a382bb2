using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Strongroom.Api.RecoveryServices.ProtectedItems;
using Strongroom.Arm;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Api.RecoveryServices.Backups;

/// <summary>Backup now.</summary>
internal static class BackupEndpoints
{
    public static void MapBackups(this IEndpointRouteBuilder routes) => routes.MapVault().MapPost(VaultRequest.ItemPath + "/backup", TriggerAsync).WithAction("Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action");

    private static async Task<IResult> TriggerAsync(HttpContext context, JobAdmission admission)
    {
        var vault = await context.VaultAsync();
        var native = context.NativeName();
        var body = await ArmJson.ReadObjectAsync(context.Request, context.RequestAborted);
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        var type = properties.OptionalText("objectType");
        var expected = ItemWords.BackupRequestType(ItemNames.KindOf(native));
        if (!string.Equals(type, expected, StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("objectType", type, expected);
        var operation = await admission.BackUpAsync(vault, native, Expiry(properties.OptionalText("recoveryPointExpiryTimeInUTC")), context.RequestAborted);
        return ItemOperation.Accepted(vault, native, operation);
    }

    private static DateTimeOffset? Expiry(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at)
            ? at
            : throw RecoveryServicesErrors.InvalidInput("'recoveryPointExpiryTimeInUTC' is not a time such as 2026-12-31T00:00:00Z.", "properties.recoveryPointExpiryTimeInUTC");
    }
}
