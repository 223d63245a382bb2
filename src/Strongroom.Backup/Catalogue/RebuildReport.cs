namespace Strongroom.Backup.Catalogue;

/// <summary>What a rebuild of the catalogue came to.</summary>
/// <param name="VaultName">The vault whose rows were made or found; null when the store holds nothing of a server.</param>
/// <param name="VaultsAdded">0 or 1.</param>
/// <param name="ItemsAdded">Items that the catalogue did not have.</param>
/// <param name="PointsAdded">Recovery points that the catalogue did not have.</param>
/// <param name="PointsKnown">Recovery points that it had.</param>
/// <param name="SnapshotsPassedOver">Snapshots of other programs, such as the store command: they belong to no item.</param>
/// <param name="Notes">What the log does not tell, and what somebody has to do about it.</param>
public sealed record RebuildReport(
    string? VaultName, int VaultsAdded, int ItemsAdded, int PointsAdded, int PointsKnown, int SnapshotsPassedOver, IReadOnlyList<string> Notes);
