namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>Takes back what a backup of an item has made on the machine's host. Never fails: what cannot be done now is done later, or by the item's next backup.</summary>
/// <param name="use">Looks at the host for what is there; nothing where the machine is gone.</param>
internal sealed class SnapshotCleanUp(OwedCleanUps owed, Guid itemKey, Func<Action<HostTraces>, Task> use)
{
    /// <summary>libvirt may be starting again when a backup ends: so many seconds are waited for it.</summary>
    public const int PatientTries = 10;

    /// <summary>Ends the job, and drops its files and all checkpoints but one.</summary>
    /// <param name="tracking">Of the recovery point whose checkpoint stays; null: none does.</param>
    /// <param name="mayBeFrozen">The backup may have died while the machine held still for it.</param>
    public Task RemoveAsync(string? tracking, int tries = PatientTries, bool mayBeFrozen = false)
    {
        var keep = TrackingToken.TryParse(tracking, out var token) ? token.Checkpoint : null;
        return owed.DoAsync(itemKey, () => use(traces =>
        {
            traces.Remove(keep);
            if (mayBeFrozen) traces.LetGo();
        }), tries);
    }

    /// <summary>Ends the job, so that the machine does not fill its scratch files further. Checkpoints stay: the backup may be about to be committed.</summary>
    public Task EndJobAsync() => owed.DoAsync(itemKey, () => use(traces =>
    {
        traces.EndJob();
        traces.RemoveFiles();
    }), PatientTries);
}
