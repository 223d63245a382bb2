using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Strongroom.Backup.Machines;

namespace Strongroom.Backup.Pipelines.Restores;

/// <summary>Azure's names of what a restore makes.</summary>
public static class RecoveryTypes
{
    /// <summary>Disks in a storage account.</summary>
    public const string RestoreDisks = "RestoreDisks";

    /// <summary>A new machine on a host.</summary>
    public const string AlternateLocation = "AlternateLocation";

    /// <summary>The machine itself, with the disks it had.</summary>
    public const string OriginalLocation = "OriginalLocation";

    /// <summary>A new machine on a host, which runs from the recovery point while its data are brought over. Our own.</summary>
    public const string InstantBoot = "InstantBoot";
}

/// <summary>What a restore was asked for.</summary>
/// <param name="StorageAccountId">ARM id of the account that receives the disks; machines are restored without it, but it must be there as the service wants it.</param>
/// <param name="Luns">Only these disks, or null for all.</param>
/// <param name="TargetResourceGroupId">ARM id of the group in which the disks, or the machine, appear as resources, or null.</param>
/// <param name="Endpoint">Scheme and host that the client used: the URIs in the job's properties begin with it.</param>
public sealed record RestoreRequest(string RecoveryPoint, string StorageAccountId, ImmutableArray<int>? Luns, string? TargetResourceGroupId, string Endpoint)
{
    /// <summary>The name of the stored request's member for <see cref="RecoveryType"/>.</summary>
    public const string RecoveryTypeMember = "recoveryType";

    /// <summary>One of <see cref="RecoveryTypes"/>.</summary>
    public string RecoveryType { get; init; } = RecoveryTypes.RestoreDisks;

    /// <summary>The machine to be made; of <see cref="RecoveryTypes.AlternateLocation"/> and <see cref="RecoveryTypes.InstantBoot"/> only.</summary>
    public MachineId? Target { get; init; }

    public string? VirtualNetworkId { get; init; }
    public string? SubnetId { get; init; }

    /// <summary>What the caller takes for the protected machine, looked at when the restore is admitted.</summary>
    public string? SourceResourceId { get; init; }

    /// <summary>What the caller takes for the vault's region, looked at when the restore is admitted.</summary>
    public string? Region { get; init; }

    /// <summary>The account's name, which is also its folder's.</summary>
    public string StorageAccount => StorageAccountId[(StorageAccountId.LastIndexOf('/') + 1)..].ToLowerInvariant();

    public JsonObject ToJson() => new()
    {
        ["recoveryPoint"] = RecoveryPoint,
        ["storageAccountId"] = StorageAccountId,
        ["luns"] = Luns is { } luns ? new JsonArray([.. luns.Select(l => (JsonNode)l)]) : null,
        ["targetResourceGroupId"] = TargetResourceGroupId,
        ["endpoint"] = Endpoint,
        [RecoveryTypeMember] = RecoveryType,
        ["targetSubscription"] = Target?.SubscriptionId,
        ["targetResourceGroup"] = Target?.ResourceGroup,
        ["targetName"] = Target?.Name,
        ["virtualNetworkId"] = VirtualNetworkId,
        ["subnetId"] = SubnetId,
    };

    public static RestoreRequest FromJson(JsonObject json) => new(
        (string)json["recoveryPoint"]!,
        (string)json["storageAccountId"]!,
        json["luns"] is JsonArray luns ? [.. luns.Select(l => (int)l!)] : null,
        (string?)json["targetResourceGroupId"],
        (string)json["endpoint"]!)
    {
        RecoveryType = (string?)json[RecoveryTypeMember] ?? RecoveryTypes.RestoreDisks,
        Target = (string?)json["targetName"] is { } name ? new((string)json["targetSubscription"]!, (string)json["targetResourceGroup"]!, name) : null,
        VirtualNetworkId = (string?)json["virtualNetworkId"],
        SubnetId = (string?)json["subnetId"],
    };
}
