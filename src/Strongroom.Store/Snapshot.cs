namespace Strongroom.Store;

/// <summary>Names a snapshot; chosen by the caller, so that a commit can be repeated safely.</summary>
public readonly record struct SnapshotId(Guid Value)
{
    public override string ToString() => Value.ToString("D");
}

/// <summary>One disk of a snapshot.</summary>
/// <param name="Lun">The disk's logical unit number; -1 for an operating system disk if the caller wishes.</param>
/// <param name="Name">The disk's name.</param>
/// <param name="Image">Its bytes.</param>
public sealed record SnapshotImage(int Lun, string Name, ImageRef Image);

/// <summary>A string of bytes in a snapshot: a dump of a database, say.</summary>
public sealed record SnapshotStream(string Name, StreamRef Stream);

/// <summary>A folder and all below it in a snapshot.</summary>
/// <param name="Name">Usually the folder's path.</param>
/// <param name="Tree">Its content.</param>
public sealed record SnapshotTree(string Name, TreeRef Tree);

/// <summary>What is to be committed.</summary>
public sealed record SnapshotDraft
{
    /// <summary>Committing the same id again returns what was committed first.</summary>
    public required SnapshotId Id { get; init; }

    /// <summary>What the snapshot is of; opaque, at most 4,096 characters.</summary>
    public required string ItemId { get; init; }

    /// <summary>At most 1,024 images, each written by this session or held by a live snapshot.</summary>
    public required IReadOnlyList<SnapshotImage> Images { get; init; }

    /// <summary>At most 1,024 streams, under the same rule.</summary>
    public IReadOnlyList<SnapshotStream> Streams { get; init; } = [];

    /// <summary>At most 1,024 trees, under the same rule.</summary>
    public IReadOnlyList<SnapshotTree> Trees { get; init; } = [];

    /// <summary>How consistent it is, in the caller's words.</summary>
    public string Consistency { get; init; } = "";

    /// <summary>The guest's configuration, opaque, at most 1 MiB. Kept in memory while the vault is open.</summary>
    public ReadOnlyMemory<byte> Configuration { get; init; }

    /// <summary>The snapshot that this one was made from. Information only: every snapshot stands alone.</summary>
    public SnapshotId? Parent { get; init; }

    /// <summary>Until when nothing can delete it; counted to the millisecond. Null: it is not locked.</summary>
    public DateTimeOffset? LockedUntil { get; init; }
}

/// <summary>A recovery point's content, committed and immutable.</summary>
public sealed record Snapshot
{
    public required SnapshotId Id { get; init; }

    public required string ItemId { get; init; }

    /// <summary>Assigned by the store, to the millisecond; always later than the snapshot committed before, whatever the clock says.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    public required IReadOnlyList<SnapshotImage> Images { get; init; }

    public IReadOnlyList<SnapshotStream> Streams { get; init; } = [];

    public IReadOnlyList<SnapshotTree> Trees { get; init; } = [];

    public required string Consistency { get; init; }

    public required ReadOnlyMemory<byte> Configuration { get; init; }

    public required SnapshotId? Parent { get; init; }

    /// <summary>Until when nothing can delete it, also when that has passed; null when it was never locked.</summary>
    public DateTimeOffset? LockedUntil { get; init; }

    /// <summary>True while nothing can delete it, whatever the time.</summary>
    public bool HasLegalHold { get; init; }

    /// <summary>Its place in the vault's log.</summary>
    public required long LogSequence { get; init; }
}

/// <summary>A snapshot that was deleted and can be brought back until it is purged.</summary>
/// <param name="Snapshot">What it was. It cannot be restored before it is brought back.</param>
/// <param name="DeletedAt">When it was deleted.</param>
/// <param name="DeleteAfter">From when on it may be purged.</param>
public sealed record SoftDeletedSnapshot(Snapshot Snapshot, DateTimeOffset DeletedAt, DateTimeOffset DeleteAfter);
