using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Strongroom.Api.RecoveryServices.ResourceGuardProxies;
using Strongroom.Arm;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Pipelines.Restores;

namespace Strongroom.Api.RecoveryServices.Restores;

/// <summary>A request to restore, from the wire.</summary>
internal static class RestoreContract
{
    private const string Rehydration = "IaasVMRestoreWithRehydrationRequest";

    /// <param name="point">The recovery point in the path.</param>
    /// <param name="endpoint">Scheme and host that the client used.</param>
    /// <exception cref="ArmException">400: something is missing, wrong, or not to be had here.</exception>
    public static RestoreRequest Read(JsonObject body, string point, string endpoint)
    {
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        var type = properties.OptionalText("objectType");
        if (string.Equals(type, Rehydration, StringComparison.OrdinalIgnoreCase))
            throw RecoveryServicesErrors.NotSupported("This installation has no archive tier: there is nothing to rehydrate. Send an IaasVMRestoreRequest.");
        if (!string.Equals(type, "IaasVMRestoreRequest", StringComparison.OrdinalIgnoreCase)) throw RecoveryServicesErrors.InvalidType("objectType", type, "IaasVMRestoreRequest", Rehydration);
        if (properties.OptionalText("recoveryPointId") is { Length: > 0 } named && named != point)
            throw RecoveryServicesErrors.InvalidInput("'recoveryPointId' is not the recovery point in the path.", "properties.recoveryPointId");
        properties.CheckTexts("targetDomainNameId", "affinityGroup");
        properties.CheckFlags("createNewCloudService", "restoreWithManagedDisks");
        GuardPasses.Requests(properties);
        RestoreLimits.Check(properties);

        var recoveryType = RecoveryType(properties.OptionalText("recoveryType"));
        var group = Group(properties);
        return new(point, StorageAccount(properties), Luns(properties), group, endpoint)
        {
            RecoveryType = recoveryType,
            Target = Target(properties, recoveryType, group),
            VirtualNetworkId = Id(properties, "virtualNetworkId", "Microsoft.Network/virtualNetworks"),
            SubnetId = Id(properties, "subnetId", "Microsoft.Network/virtualNetworks/subnets"),
            SourceResourceId = properties.OptionalText("sourceResourceId"),
            Region = properties.OptionalText("region"),
        };
    }

    /// <summary>A request to boot from a recovery point, our own: the machine to be made, and its network.</summary>
    /// <exception cref="ArmException">400: something is missing or wrong.</exception>
    public static RestoreRequest ReadInstantBoot(JsonObject body, string point)
    {
        var properties = body.OptionalObject("properties") ?? throw RecoveryServicesErrors.InvalidInput("'properties' is missing.", "properties");
        return new(point, "", null, null, "")
        {
            RecoveryType = RecoveryTypes.InstantBoot,
            Target = Target(properties, RecoveryTypes.InstantBoot, null),
            VirtualNetworkId = Id(properties, "virtualNetworkId", "Microsoft.Network/virtualNetworks"),
            SubnetId = Id(properties, "subnetId", "Microsoft.Network/virtualNetworks/subnets"),
        };
    }

    private static string RecoveryType(string? sent) =>
        new[] { RecoveryTypes.RestoreDisks, RecoveryTypes.AlternateLocation, RecoveryTypes.OriginalLocation }.FirstOrDefault(type => type.Equals(sent, StringComparison.OrdinalIgnoreCase))
        ?? throw RecoveryServicesErrors.InvalidType("recoveryType", sent, RecoveryTypes.RestoreDisks, RecoveryTypes.AlternateLocation, RecoveryTypes.OriginalLocation);

    /// <summary>The account; a restore with a managed identity names it in the identity's details instead.</summary>
    private static string StorageAccount(JsonObject properties)
    {
        var details = properties.OptionalObject("identityBasedRestoreDetails");
        details?.CheckTexts("objectType");
        var account = properties.OptionalText("storageAccountId") is { Length: > 0 } sent ? sent : details?.OptionalText("targetStorageAccountId");
        return ResourceId.TryParse(account, out var id) && id.IsOfType("Microsoft.Storage/storageAccounts") && ResourceNames.IsStorageAccount(id.Name.ToLowerInvariant())
            ? id.ToString()
            : throw RecoveryServicesErrors.InvalidInput("'storageAccountId' must be the id of the storage account that receives the disks.", "properties.storageAccountId");
    }

    private static string? Group(JsonObject properties)
    {
        var group = properties.OptionalText("targetResourceGroupId");
        if (string.IsNullOrEmpty(group)) return null;
        return ResourceId.TryParse(group, out var id) && id.ResourceGroup is not null && id.ProviderNamespace is null
            ? group
            : throw RecoveryServicesErrors.InvalidInput("'targetResourceGroupId' is not the id of a resource group.", "properties.targetResourceGroupId");
    }

    private static MachineId? Target(JsonObject properties, string recoveryType, string? group)
    {
        var sent = properties.OptionalText("targetVirtualMachineId");
        if (recoveryType is not (RecoveryTypes.AlternateLocation or RecoveryTypes.InstantBoot)) return null;
        if (!MachineId.TryParse(sent, out var target))
            throw RecoveryServicesErrors.InvalidInput("'targetVirtualMachineId' must be the id that the new virtual machine is to have.", "properties.targetVirtualMachineId");
        if (!ResourceNames.IsMachine(target.Name))
            throw RecoveryServicesErrors.InvalidInput("'targetVirtualMachineId' ends with a name that a virtual machine cannot have: 1 to 64 letters, digits, dots, hyphens and underscores, beginning with a letter or digit.", "properties.targetVirtualMachineId");
        if (group is not null && ResourceId.ForGroup(target.SubscriptionId, target.ResourceGroup) != ResourceId.Parse(group))
            throw RecoveryServicesErrors.InvalidInput("'targetVirtualMachineId' lies in another resource group than 'targetResourceGroupId'.", "properties.targetVirtualMachineId");
        return target;
    }

    private static string? Id(JsonObject properties, string name, string type)
    {
        var text = properties.OptionalText(name);
        if (string.IsNullOrEmpty(text)) return null;
        return ResourceId.TryParse(text, out var id) && id.IsOfType(type)
            ? id.ToString()
            : throw RecoveryServicesErrors.InvalidInput($"'{name}' is not the id of a resource of type {type}.", "properties." + name);
    }

    private static ImmutableArray<int>? Luns(JsonObject properties)
    {
        if (properties.Field("restoreDiskLunList") is not { } sent) return null;
        if (sent is not JsonArray list) throw RecoveryServicesErrors.InvalidInput("'restoreDiskLunList' must be a list of LUNs.", "properties.restoreDiskLunList");
        // Said and empty, as `az --restore-only-osdisk` sends it: no disk for data.
        if (list.Count == 0) return [-1];
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
