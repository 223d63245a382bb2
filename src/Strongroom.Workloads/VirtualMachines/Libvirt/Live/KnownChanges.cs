using System.Diagnostics.CodeAnalysis;

namespace Strongroom.Workloads.VirtualMachines.Libvirt.Live;

/// <summary>The changes since the moment of a recovery point that a host has recorded for a machine, as far as they can be trusted.</summary>
internal sealed class KnownChanges
{
    private readonly TrackingToken _token;
    private readonly LibvirtHost _host;

    private KnownChanges(TrackingToken token, LibvirtHost host) => (_token, _host) = (token, host);

    /// <summary>The parent's checkpoint, which is on the host.</summary>
    public string Checkpoint => _token.Checkpoint;

    /// <summary>The recovery point that the checkpoint was made for.</summary>
    public Guid PointId => _token.PointId;

    /// <param name="parentTracking">What the parent remembers; null: there is no parent, or nothing was recorded.</param>
    /// <param name="checkpoints">What the host has of the machine.</param>
    /// <param name="notes">Gets a sentence where nothing is known of a parent.</param>
    public static KnownChanges? Find(string? parentTracking, LibvirtMachine machine, IReadOnlyList<string> checkpoints, List<string> notes)
    {
        if (parentTracking is null) return null;
        if (!TrackingToken.TryParse(parentTracking, out var token) || token.DomainId != machine.Machine.VmId)
        {
            notes.Add("All disks are read and compared: the last recovery point is of another machine of this name.");
            return null;
        }

        if (checkpoints.Contains(token.Checkpoint)) return new(token, machine.Host);
        notes.Add("All disks are read and compared: the checkpoint of the last recovery point is not on the host any more. A restore in place removes it.");
        return null;
    }

    /// <summary>Whether the bitmap of this name on a disk is the one that was made with the parent, and not that of another disk which took its place.</summary>
    /// <param name="reason">Why not.</param>
    public bool AreOf(DomainDisk disk, [NotNullWhen(false)] out string? reason)
    {
        reason = !_token.Disks.TryGetValue(disk.Target, out var identity)
            ? $"Disk '{disk.Target}' is read and compared: the last recovery point does not say which disk its changes were recorded on."
            : identity != DiskIdentity.Of(_host, disk)
                ? $"Disk '{disk.Target}' is read and compared: it is not in the place, or not the file, that it was at the last recovery point."
                : null;
        return reason is null;
    }
}
