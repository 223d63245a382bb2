namespace Strongroom.Store.Log;

/// <summary>A silence between two entries of the log that is too long to be believed without more: the clock may have been set forward.</summary>
/// <param name="From">The time of the entry before it.</param>
/// <param name="To">The time of the entry after it.</param>
internal readonly record struct ClockLeap(DateTimeOffset From, DateTimeOffset To);

/// <summary>What the log knows about the time: how late it was at least, and where it leapt. Changed under the log's lock.</summary>
internal sealed class ClockState : ILogConcern
{
    /// <summary>A longer silence than this between two entries may be a clock that was set forward.</summary>
    public static readonly TimeSpan GreatestSilence = TimeSpan.FromDays(45);

    /// <summary>A collection of a vault that was silent for so long writes an entry, so that the silence does not grow too long.</summary>
    public static readonly TimeSpan SignOfLifeAfter = TimeSpan.FromDays(30);

    /// <summary>How far a clock may be behind the log, and entries' times beyond the clock that was accepted.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    /// <summary>For so long after a leap the clock is not trusted: somebody may notice that it is wrong.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromDays(14);

    /// <summary>Leaps that are told apart; beyond it the two oldest become one, and what lies between them counts as silence.</summary>
    public const int GreatestLeaps = 64;
    private const int LeapLengthBytes = 16;

    private sealed record Known(DateTimeOffset Reference, DateTimeOffset Ceiling, IReadOnlyList<ClockLeap> Leaps);

    private volatile Known known = new(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, []);

    public ushort Section => 18;

    /// <summary>The time of the last entry, or the time that CLOCK accepted where entries' times are ahead of it.</summary>
    public DateTimeOffset Reference => known.Reference;

    /// <summary>Since the last CLOCK, ascending.</summary>
    public IReadOnlyList<ClockLeap> Leaps => known.Leaps;

    public static byte[] Format(DateTimeOffset accepted) => new PayloadWriter().Int64(accepted.ToUnixTimeMilliseconds()).ToArray();

    public bool TryApply(LogEntry entry)
    {
        if (entry.Type == LogEntryType.Clock)
        {
            // Entries' times never go back: where they are ahead of the time accepted, they say nothing until it has caught up.
            known = new(new PayloadReader(entry.Payload).Time(), entry.Time, []);
            return true;
        }

        if (entry.Time > known.Ceiling + Tolerance && entry.Time > known.Reference)
        {
            var leaps = known.Reference > DateTimeOffset.UnixEpoch && entry.Time - known.Reference > GreatestSilence
                ? Add(known.Leaps, new(known.Reference, entry.Time))
                : known.Leaps;
            known = known with { Reference = entry.Time, Leaps = leaps };
        }

        return false;
    }

    public void WriteSection(PayloadWriter target)
    {
        target.Int64(known.Reference.ToUnixTimeMilliseconds()).Int64(known.Ceiling.ToUnixTimeMilliseconds()).UInt32((uint)known.Leaps.Count);
        foreach (var leap in known.Leaps)
            target.Int64(leap.From.ToUnixTimeMilliseconds()).Int64(leap.To.ToUnixTimeMilliseconds());
    }

    public void ReadSection(ref PayloadReader source)
    {
        var (reference, ceiling) = (source.Time(), source.Time());
        var leaps = new ClockLeap[source.Count(LeapLengthBytes)];
        for (var i = 0; i < leaps.Length; i++)
        {
            leaps[i] = new(source.Time(), source.Time());
            if (leaps[i].To <= leaps[i].From || i >= GreatestLeaps)
                throw StoreException.Corrupt("A checkpoint of the log says what cannot be of its clocks");
        }

        known = new(reference, ceiling, leaps);
    }

    private static ClockLeap[] Add(IReadOnlyList<ClockLeap> leaps, ClockLeap leap) => leaps.Count < GreatestLeaps
        ? [.. leaps, leap]
        : [new(leaps[0].From, leaps[1].To), .. leaps.Skip(2), leap];
}
