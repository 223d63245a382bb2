using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Backup.Pipelines;

/// <summary>What a backup job was asked for.</summary>
/// <param name="SnapshotId">The store's snapshot to be made: fixed at admission, so that a repeated run finds what an earlier one committed.</param>
public sealed record BackupRequest(Guid SnapshotId, DateTimeOffset? ExpiresAt)
{
    public JsonObject ToJson() => new()
    {
        ["snapshotId"] = SnapshotId.ToString(),
        ["expiresAt"] = ExpiresAt?.ToString("O", CultureInfo.InvariantCulture),
    };

    public static BackupRequest FromJson(JsonObject json) => new(
        Guid.Parse((string)json["snapshotId"]!),
        (string?)json["expiresAt"] is { } at ? DateTimeOffset.Parse(at, CultureInfo.InvariantCulture) : null);
}

/// <summary>What a restore of disks was asked for.</summary>
/// <param name="StorageAccountId">ARM id of the account that receives the disks.</param>
/// <param name="Luns">Only these disks, or null for all.</param>
/// <param name="TargetResourceGroupId">ARM id of the group in which the disks appear as resources, or null.</param>
/// <param name="Endpoint">Scheme and host that the client used: the URIs in the job's properties begin with it.</param>
public sealed record RestoreRequest(string RecoveryPoint, string StorageAccountId, ImmutableArray<int>? Luns, string? TargetResourceGroupId, string Endpoint)
{
    /// <summary>The account's name, which is also its folder's.</summary>
    public string StorageAccount => StorageAccountId[(StorageAccountId.LastIndexOf('/') + 1)..].ToLowerInvariant();

    public JsonObject ToJson() => new()
    {
        ["recoveryPoint"] = RecoveryPoint,
        ["storageAccountId"] = StorageAccountId,
        ["luns"] = Luns is { } luns ? new JsonArray([.. luns.Select(l => (JsonNode)l)]) : null,
        ["targetResourceGroupId"] = TargetResourceGroupId,
        ["endpoint"] = Endpoint,
    };

    public static RestoreRequest FromJson(JsonObject json) => new(
        (string)json["recoveryPoint"]!,
        (string)json["storageAccountId"]!,
        json["luns"] is JsonArray luns ? [.. luns.Select(l => (int)l!)] : null,
        (string?)json["targetResourceGroupId"],
        (string)json["endpoint"]!);
}
