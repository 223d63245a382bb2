namespace Strongroom.Store.Tests.Governance;

/// <summary>What the rules of a vault mean, as simply as it can be said.</summary>
internal sealed class RulesModel
{
    private readonly Dictionary<SnapshotId, One> present = [];

    public List<SnapshotId> Known { get; } = [];

    public VaultPolicy Policy { get; private set; } = new();

    public HashSet<SnapshotId> Visible => [.. present.Where(one => one.Value.PurgeFrom is null).Select(one => one.Key)];

    public HashSet<SnapshotId> Deleted => [.. present.Where(one => one.Value.PurgeFrom is not null).Select(one => one.Key)];

    public void Commit(SnapshotId id, DateTimeOffset now, DateTimeOffset? until)
    {
        Known.Add(id);
        present[id] = new() { Born = now, Until = until };
    }

    public bool Delete(SnapshotId id, DateTimeOffset now, out bool isGone)
    {
        isGone = false;
        if (!Visible.Contains(id))
            return true;
        if (IsKept(id, now))
            return false;
        isGone = true;
        if (Policy.SoftDeleteDays == 0)
            present.Remove(id);
        else
            present[id].PurgeFrom = now.AddDays(Policy.SoftDeleteDays);
        return true;
    }

    public bool Undelete(SnapshotId id)
    {
        if (!present.TryGetValue(id, out var one))
            return false;
        one.PurgeFrom = null;
        return true;
    }

    public HashSet<SnapshotId> Purge(DateTimeOffset now)
    {
        HashSet<SnapshotId> due = [.. Deleted.Where(id => present[id].PurgeFrom <= now && !IsKept(id, now))];
        foreach (var id in due)
            present.Remove(id);
        return due;
    }

    public bool PurgeNow(SnapshotId id, DateTimeOffset now)
    {
        if (!present.TryGetValue(id, out var one))
            return true;
        var mayForce = !Policy.IsSoftDeleteAlwaysOn && Policy.Immutability != Immutability.Locked;
        if (one.PurgeFrom is null || IsKept(id, now) || (one.PurgeFrom > now && !mayForce))
            return false;
        present.Remove(id);
        return true;
    }

    public bool Lock(SnapshotId id, DateTimeOffset until)
    {
        if (!present.TryGetValue(id, out var one) || one.Until > until)
            return false;
        one.Until = until;
        return true;
    }

    public bool Hold(SnapshotId id, bool isOn)
    {
        if (!present.TryGetValue(id, out var one))
            return false;
        one.IsHeld = isOn;
        return true;
    }

    public bool SetPolicy(VaultPolicy next)
    {
        var isFirm = Policy.Immutability == Immutability.Locked;
        var mayFollow = (!isFirm || (next.Immutability == Immutability.Locked && next.MinimumRetentionDays >= Policy.MinimumRetentionDays))
            && (!Policy.IsSoftDeleteAlwaysOn || next.IsSoftDeleteAlwaysOn)
            && (!(isFirm || Policy.IsSoftDeleteAlwaysOn) || next.SoftDeleteDays >= Policy.SoftDeleteDays);
        if (mayFollow)
            Policy = next;
        return mayFollow;
    }

    private bool IsKept(SnapshotId id, DateTimeOffset now)
    {
        var one = present[id];
        return one.IsHeld || one.Until > now
            || (Policy.Immutability != Immutability.Off && one.Born.AddDays(Policy.MinimumRetentionDays) > now);
    }

    private sealed class One
    {
        public DateTimeOffset Born { get; init; }

        public DateTimeOffset? Until { get; set; }

        public bool IsHeld { get; set; }

        public DateTimeOffset? PurgeFrom { get; set; }
    }
}
