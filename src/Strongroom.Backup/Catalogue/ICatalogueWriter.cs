using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Catalogue;

/// <summary>Writes recovery points outside of a job. Only for a catalogue that no server works on.</summary>
public interface ICatalogueWriter
{
    /// <returns>False when the item has a point of that name, or some item has one of that snapshot.</returns>
    Task<bool> TryAddAsync(RecoveryPoint point, CancellationToken cancellationToken);
}
