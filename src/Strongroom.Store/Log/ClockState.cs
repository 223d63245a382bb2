namespace Strongroom.Store.Log;

/// <summary>What the log knows about the time: how late it was at least, and whether the clocks of its writers leapt. Changed under the log's lock.</summary>
internal sealed class ClockState : ILogConcern
{
    /// <summary>A longer silence than this between two entries may be a clock that was set forward.</summary>
    public static readonly TimeSpan GreatestSilence = TimeSpan.FromDays(45);

    /// <summary>How far a clock may be behind the log, and entries' times beyond the clock that was accepted.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    private sealed record Known(DateTimeOffset Reference, DateTimeOffset Ceiling, DateTimeOffset? LeaptTo);

    private volatile Known known = new(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, null);

    public ushort Section => 18;

    /// <summary>The time of the last entry, or the time that CLOCK accepted where entries' times are ahead of it.</summary>
    public DateTimeOffset Reference => known.Reference;

    /// <summary>Where the time leapt to after <see cref="Reference"/>, unless CLOCK accepted it since.</summary>
    public DateTimeOffset? LeaptTo => known.LeaptTo;

    public static byte[] Format(DateTimeOffset accepted) => new PayloadWriter().Int64(accepted.ToUnixTimeMilliseconds()).ToArray();

    public bool TryApply(LogEntry entry)
    {
        if (entry.Type == LogEntryType.Clock)
        {
            // Entries' times never go back: where they are ahead of the time accepted, they say nothing until it has caught up.
            known = new(new PayloadReader(entry.Payload).Time(), entry.Time, null);
            return true;
        }

        if (entry.Time > known.Ceiling + Tolerance && known.LeaptTo is null)
        {
            known = known.Reference > DateTimeOffset.UnixEpoch && entry.Time - known.Reference > GreatestSilence
                ? known with { LeaptTo = entry.Time }
                : known with { Reference = entry.Time > known.Reference ? entry.Time : known.Reference };
        }

        return false;
    }

    public void WriteSection(PayloadWriter target) => target
        .Int64(known.Reference.ToUnixTimeMilliseconds())
        .Int64(known.Ceiling.ToUnixTimeMilliseconds())
        .Int64(known.LeaptTo?.ToUnixTimeMilliseconds() ?? 0);

    public void ReadSection(ref PayloadReader source)
    {
        var (reference, ceiling, leaptTo) = (source.Time(), source.Time(), source.Time());
        known = new(reference, ceiling, leaptTo > DateTimeOffset.UnixEpoch ? leaptTo : null);
    }
}
