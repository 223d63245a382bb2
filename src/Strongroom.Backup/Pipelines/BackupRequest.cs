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
