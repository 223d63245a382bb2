using System.Collections.Immutable;
using Strongroom.Backup.Machines;

namespace Strongroom.Backup.RecoveryPoints;

/// <summary>
/// A recovery point whose snapshot is taken and whose disks or files are on their way into the vault. It is shown and cannot be restored yet.
/// </summary>
/// <remarks>
/// It lives in the document of its job and nowhere else, and names no snapshot of the store: nothing that deletes, keeps or restores can take it
/// for a <see cref="RecoveryPoint"/>, and it is gone when its job is, however that ends.
/// </remarks>
/// <param name="Fence">The claim that holds the snapshot: a worker that has the job after a crash takes a snapshot of its own.</param>
/// <param name="Name">The name that the recovery point will have.</param>
/// <param name="Time">When the snapshot was taken.</param>
/// <param name="Consistency">As <see cref="RecoveryPoint.Consistency"/>.</param>
/// <param name="Machine">The machine as it was; null for a share.</param>
/// <param name="Luns">The disks that will be in it, in LUN order.</param>
/// <param name="ExpiresAt">When it goes, if it was asked for with an expiry.</param>
/// <param name="DueAt">When a schedule wanted it; null: it was asked for by somebody.</param>
public sealed record PointInTransfer(
    long Fence, string Name, DateTimeOffset Time, string Consistency, VirtualMachine? Machine, ImmutableArray<int> Luns, DateTimeOffset? ExpiresAt, DateTimeOffset? DueAt);
