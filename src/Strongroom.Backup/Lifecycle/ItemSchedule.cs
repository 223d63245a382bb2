using System.Buffers.Binary;
using Strongroom.Backup.Items;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Lifecycle;

/// <summary>When the schedule of an item's policy makes a backup of it. Pure.</summary>
/// <param name="terms">The policy.</param>
/// <param name="from">Nothing that was due until then counts: the item's <see cref="ProtectedItem.ScheduledUntil"/>, or, where that is later, the time since which the policy has this schedule.</param>
/// <param name="offset">How much later than due the item is backed up, so that not all begin at once.</param>
public sealed class ItemSchedule(PolicyTerms terms, DateTimeOffset from, TimeSpan offset)
{
    /// <summary>Longer than any schedule waits.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromDays(40);

    public static ItemSchedule Of(ProtectedItem item, BackupPolicy policy, PolicyTerms terms, TimeSpan spread)
    {
        var from = item.ScheduledUntil ?? item.CreatedAt;
        var since = policy.ScheduledSince ?? policy.ChangedAt;
        return new(terms, since > from ? since : from, Offset(item.Key, spread));
    }

    /// <summary>The last instant that was due and was not met; of several that were missed only the last counts. Null: none.</summary>
    public DateTimeOffset? Missed(DateTimeOffset now)
    {
        var until = now - offset;
        DateTimeOffset? missed = null;
        foreach (var due in terms.Schedule.Between(from > until - Window ? from : until - Window, until, terms.TimeZone)) missed = due;
        return missed;
    }

    /// <summary>When the next backup begins; not before <paramref name="now"/>.</summary>
    public DateTimeOffset? Next(DateTimeOffset now)
    {
        var after = now - offset > from ? now - offset : from;
        foreach (var due in terms.Schedule.Between(after, after + Window, terms.TimeZone)) return due + offset;
        return null;
    }

    /// <summary>The same for an item at all times, evenly spread over the items.</summary>
    public static TimeSpan Offset(Guid itemKey, TimeSpan spread)
    {
        Span<byte> key = stackalloc byte[16];
        itemKey.TryWriteBytes(key);
        return TimeSpan.FromSeconds(Math.Floor(spread.TotalSeconds * (BinaryPrimitives.ReadUInt32LittleEndian(key) / (double)(1L << 32))));
    }
}
