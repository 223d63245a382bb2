using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Strongroom.Backup.FileShares;
using Strongroom.Backup.Machines;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.RecoveryPoints;

/// <summary>A moment of a protected item that can be restored. A row exists only after the store has committed the snapshot it points to.</summary>
public sealed record RecoveryPoint
{
    public required Guid ItemKey { get; init; }

    /// <summary>A decimal number of 18 digits, unique in its item, growing with time.</summary>
    public required string Name { get; init; }

    /// <summary>When the snapshot was taken.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The store's snapshot.</summary>
    public required Guid SnapshotId { get; init; }

    /// <summary><c>CrashConsistent</c>, <c>FileSystemConsistent</c> or <c>AppConsistent</c>.</summary>
    public required string Consistency { get; init; }

    /// <summary>Of a machine's point: the machine as it was. Null of a share's.</summary>
    [JsonPropertyName("Machine")]
    public VirtualMachine? MachineOrNone { get; init; }

    /// <summary>The machine as it was: name, size, operating system, disks.</summary>
    /// <exception cref="InvalidOperationException">It is the point of a share.</exception>
    [JsonIgnore]
    public VirtualMachine Machine
    {
        get => MachineOrNone ?? throw new InvalidOperationException("The recovery point is of a file share: there is no machine in it.");
        init => MachineOrNone = value;
    }

    /// <summary>The disks that are in it, in LUN order. None in a share's.</summary>
    public required ImmutableArray<RecoveryPointDisk> Disks { get; init; }

    /// <summary>Of a share's point: its files.</summary>
    public SharePoint? Share { get; init; }

    /// <summary>Names its moment for the host's tracking of changes; null where the host tracks none.</summary>
    public string? ChangeTracking { get; init; }

    /// <summary>When it goes, if it was asked for with an expiry; else the policy decides.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When a schedule wanted it; null: it was taken on demand.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>What a scheduled point is kept for: given when it is taken, and never changed. Null: its policy could not be read then.</summary>
    public RetentionTags? Tags { get; init; }

    /// <summary>What retention must know of it.</summary>
    public PointFacts ToFacts() => new(Name, Time, DueAt is null, ExpiresAt, Tags, DueAt);
}

/// <param name="Image">The store's reference to the disk's image, as text.</param>
public sealed record RecoveryPointDisk(int Lun, string Name, long SizeBytes, string Image);

/// <summary>Reads recovery points; they are written only by <see cref="Jobs.IJobLedger"/>, under a job's fence.</summary>
public interface IRecoveryPointRepository
{
    Task<RecoveryPoint?> FindAsync(Guid itemKey, string name, CancellationToken cancellationToken);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<RecoveryPoint>> ListAsync(Guid itemKey, CancellationToken cancellationToken);

    /// <summary>Newest first, at most <paramref name="count"/> of those that are older than the point named <paramref name="after"/> and were taken in the given time.</summary>
    Task<IReadOnlyList<RecoveryPoint>> ListAsync(Guid itemKey, DateTimeOffset? from, DateTimeOffset? until, string? after, int count, CancellationToken cancellationToken);

    /// <summary>How many points an item has, when the oldest was taken, and the newest one's name; nulls without one.</summary>
    Task<(int Count, DateTimeOffset? Oldest, string? Newest)> SummarizeAsync(Guid itemKey, CancellationToken cancellationToken);

    /// <summary>The store's snapshots of all recovery points of all items of a vault, soft-deleted items included, in no order.</summary>
    Task<IReadOnlyList<Guid>> ListSnapshotIdsAsync(Guid vaultKey, CancellationToken cancellationToken);
}
