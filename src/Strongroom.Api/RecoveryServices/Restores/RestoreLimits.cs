using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Arm;

namespace Strongroom.Api.RecoveryServices.Restores;

/// <summary>
/// What a restore can be asked for in Azure and cannot be had here. It is refused: to take it and leave it undone would be to pretend. What asks for nothing
/// (an empty text, a false flag) is taken.
/// </summary>
internal static class RestoreLimits
{
    private static readonly string[] DiskAccess = ["SameAsOnSourceDisks", "EnablePrivateAccessForAllDisks", "EnablePublicAccessForAllDisks"];

    /// <exception cref="ArmException">400.</exception>
    public static void Check(JsonObject properties)
    {
        if (properties.OptionalFlag("originalStorageAccountOption") == true)
            throw RecoveryServicesErrors.InvalidInput("'originalStorageAccountOption' is true, and the recovery point has no original storage account.", "properties.originalStorageAccountOption");
        if (properties.OptionalObject("encryptionDetails") is { } encryption)
        {
            encryption.CheckTexts("kekUrl", "secretKeyUrl", "kekVaultId", "secretKeyVaultId");
            if (encryption.OptionalFlag("encryptionEnabled") == true)
                throw RecoveryServicesErrors.InvalidInput("'encryptionDetails' says that the machine was encrypted by Azure; it was not.", "properties.encryptionDetails.encryptionEnabled");
        }

        if (properties.OptionalText("diskEncryptionSetId") is { Length: > 0 }) throw NoEncryptionSets("diskEncryptionSetId");
        if (properties.OptionalObject("securedVMDetails")?.OptionalText("securedVMOsDiskEncryptionSetId") is { Length: > 0 }) throw NoEncryptionSets("securedVMDetails");
        if (properties.OptionalObject("extendedLocation") is { } edge)
        {
            edge.CheckTexts("type");
            if (edge.OptionalText("name") is { Length: > 0 }) throw RecoveryServicesErrors.NotSupported("This installation has no extended locations: leave 'extendedLocation' out.");
        }

        CheckIdentity(properties.OptionalObject("identityInfo"));
        CheckZones(properties.OptionalArray("zones"));
        CheckDiskAccess(properties.OptionalObject("targetDiskNetworkAccessSettings"));
    }

    /// <summary>An identity is taken: storage here needs none, and gives nothing that the server's own does not.</summary>
    private static void CheckIdentity(JsonObject? identity)
    {
        identity?.CheckFlags("isSystemAssignedIdentity");
        identity?.CheckTexts("managedIdentityResourceId");
    }

    private static void CheckZones(JsonArray? zones)
    {
        foreach (var zone in zones ?? [])
        {
            if (zone?.GetValueKind() != JsonValueKind.String) throw RecoveryServicesErrors.InvalidInput("'zones' holds something that is not a text.", "properties.zones");
            if (!string.Equals((string?)zone, "NoZone", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.NotSupported("This installation has no availability zones: leave 'zones' out.");
        }
    }

    private static void CheckDiskAccess(JsonObject? settings)
    {
        settings?.CheckTexts("targetDiskAccessId");
        if (settings?.OptionalText("targetDiskNetworkAccessOption") is not { } option) return;
        if (!DiskAccess.Contains(option, StringComparer.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.InvalidInput($"'targetDiskNetworkAccessOption' is none of {string.Join(", ", DiskAccess)}.", "properties.targetDiskNetworkAccessSettings.targetDiskNetworkAccessOption");
        if (option.Equals(DiskAccess[1], StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.NotSupported("This installation has no private endpoints for disks: restored disks are downloaded with a token, from wherever the server is reached.");
    }

    private static ArmException NoEncryptionSets(string name) =>
        RecoveryServicesErrors.NotSupported($"This installation has no disk encryption sets: leave '{name}' out. What holds the restored disks may be encrypted as a whole.");
}
