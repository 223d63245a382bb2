using System.Globalization;
using System.Text.Json.Nodes;

namespace Strongroom.Backup.Pipelines;

/// <summary>What a backup job was asked for.</summary>
/// <param name="SnapshotId">The store's snapshot to be made: fixed at admission, so that a repeated run finds what an earlier one committed.</param>
/// <param name="ExpiresAt">When the recovery point goes, if that was asked for.</param>
/// <param name="DueAt">When a schedule wanted it; null: it was asked for by somebody.</param>
public sealed record BackupRequest(Guid SnapshotId, DateTimeOffset? ExpiresAt, DateTimeOffset? DueAt = null)
{
    /// <summary>The member of the request in which <see cref="DueAt"/> is.</summary>
    public const string DueAtMember = "dueAt";

    public JsonObject ToJson() => new()
    {
        ["snapshotId"] = SnapshotId.ToString(),
        ["expiresAt"] = ExpiresAt?.ToString("O", CultureInfo.InvariantCulture),
        [DueAtMember] = DueAt?.ToString("O", CultureInfo.InvariantCulture),
    };

    public static BackupRequest FromJson(JsonObject json) => new(Guid.Parse((string)json["snapshotId"]!), Time(json["expiresAt"]), Time(json[DueAtMember]));

    private static DateTimeOffset? Time(JsonNode? text) => (string?)text is { } at ? DateTimeOffset.Parse(at, CultureInfo.InvariantCulture) : null;
}
