namespace Strongroom.Store.Log;

/// <summary>TOMBSTONE: a snapshot leaves the list, and may be purged from a time on.</summary>
/// <param name="At">The writer's clock, by which locks count.</param>
internal sealed record TombstoneEntry(SnapshotId Id, DateTimeOffset At, DateTimeOffset DeleteAfter)
{
    public byte[] Format() => new PayloadWriter()
        .Guid(Id.Value).Int64(At.ToUnixTimeMilliseconds()).Int64(DeleteAfter.ToUnixTimeMilliseconds()).ToArray();

    public static TombstoneEntry Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        return new(new(source.Guid()), source.Time(), source.Time());
    }
}

/// <summary>PURGE: snapshots are dead for good.</summary>
/// <param name="At">The writer's clock, by which locks and soft delete count.</param>
/// <param name="IsForced">Soft delete does not count, where the policy allows that.</param>
internal sealed record PurgeEntry(DateTimeOffset At, bool IsForced, IReadOnlyList<SnapshotId> Ids)
{
    public byte[] Format()
    {
        var payload = new PayloadWriter().Int64(At.ToUnixTimeMilliseconds()).Byte(IsForced ? (byte)1 : (byte)0).UInt32((uint)Ids.Count);
        foreach (var id in Ids)
            payload.Guid(id.Value);
        return payload.ToArray();
    }

    public static PurgeEntry Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        var at = source.Time();
        var isForced = source.Byte() != 0;
        var ids = new SnapshotId[source.Count(16)];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = new(source.Guid());
        return new(at, isForced, ids);
    }
}

/// <summary>LOCK: what keeps a snapshot from now on.</summary>
/// <param name="LockedUntil">Null: nothing that ends with time. Never earlier than before.</param>
internal sealed record LockEntry(SnapshotId Id, DateTimeOffset? LockedUntil, bool HasLegalHold)
{
    public byte[] Format() => new PayloadWriter()
        .Guid(Id.Value).Int64(LockedUntil?.ToUnixTimeMilliseconds() ?? 0).Byte(HasLegalHold ? (byte)1 : (byte)0).ToArray();

    public static LockEntry Parse(LogEntry entry)
    {
        var source = new PayloadReader(entry.Payload);
        return new(new(source.Guid()), source.TimeOrNull(), source.Byte() != 0);
    }
}
