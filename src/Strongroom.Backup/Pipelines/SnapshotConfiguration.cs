using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Items;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Policies;
using Strongroom.Backup.RecoveryPoints;
using Strongroom.Backup.Vaults;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>
/// What a snapshot in the store says besides its images: enough to make the rows of the recovery point, its item and its vault again from the store alone.
/// </summary>
/// <param name="DiskSizesBytes">The virtual size of each image, in the images' order.</param>
/// <param name="Machine">The machine as it was; null for a share.</param>
/// <param name="Bytes">What the backup looked at, read and wrote.</param>
public sealed record SnapshotConfiguration(VirtualMachine? Machine, ImmutableArray<long> DiskSizesBytes, BackupBytes Bytes)
{
    /// <summary>Of a share: its files.</summary>
    public SharePoint? Share { get; init; }

    /// <summary>The vault as it was then.</summary>
    public Vault? Vault { get; init; }

    /// <summary>The item as it was when the backup began.</summary>
    public ProtectedItem? Item { get; init; }

    /// <summary>The recovery point's name and time, given when the machine's snapshot was taken. Null in what was committed before they were kept: then both come from the commit.</summary>
    public PointIdentity? Point { get; init; }

    /// <summary>When the recovery point goes, if that was asked for.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When a schedule wanted it; null: it was taken on demand.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Names its moment for the host's tracking of changes (<see cref="IMachineSnapshot.ChangeTracking"/>).</summary>
    public string? ChangeTracking { get; init; }

    /// <summary>What its policy keeps it for; null for a point taken on demand.</summary>
    public RetentionTags? Tags { get; init; }

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, SnapshotJson.Default.SnapshotConfiguration);

    /// <exception cref="JsonException">It was not written by <see cref="Write"/>.</exception>
    public static SnapshotConfiguration Read(ReadOnlyMemory<byte> configuration) =>
        JsonSerializer.Deserialize(configuration.Span, SnapshotJson.Default.SnapshotConfiguration) ?? throw new JsonException("A snapshot has no configuration.");
}

/// <summary>How many bytes a backup looked at, read and wrote.</summary>
/// <param name="Scanned">The virtual size of the disks.</param>
/// <param name="Read">Read from the disks (no holes, nothing known to be unchanged).</param>
/// <param name="Changed">In slots that differ from the parent's.</param>
/// <param name="New">In chunks that the vault did not have.</param>
/// <param name="Stored">Written to the vault: compressed and encrypted.</param>
public sealed record BackupBytes(long Scanned, long Read, long Changed, long New, long Stored)
{
    public static BackupBytes Of(SessionStatistics s) =>
        new(s.BytesScanned, s.BytesRead, Math.Max(0, s.BytesNew + s.BytesDeduplicated), s.BytesNew, s.BytesStored);

    public ImmutableSortedDictionary<string, string> AddTo(ImmutableSortedDictionary<string, string> bag) => bag
        .SetItem("strongroom.bytesScanned", Text(Scanned))
        .SetItem("strongroom.bytesRead", Text(Read))
        .SetItem("strongroom.bytesChanged", Text(Changed))
        .SetItem("strongroom.bytesNew", Text(New))
        .SetItem("strongroom.bytesStored", Text(Stored));

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(IgnoreReadOnlyProperties = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SnapshotConfiguration))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
