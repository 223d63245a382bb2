using System.Globalization;
using Strongroom.Store.Log;

namespace Strongroom.Store.Governance;

/// <summary>Whether this machine's clock may be believed when something is to be deleted because of its age. Thread-safe.</summary>
/// <remarks>
/// It is compared with the monotonic clock of this process and with the log, and with nothing outside. A clock that is wrong from the start by less than the bounds of the
/// log (<see cref="ClockState"/>) passes. Services of object storage refuse requests of a clock that is wrong by a quarter of an hour, unless their client corrects for it.
/// </remarks>
internal sealed class ClockGuard
{
    /// <summary>How much the clock may gain or lose against another clock.</summary>
    public static readonly TimeSpan GreatestJump = TimeSpan.FromHours(24);

    private sealed record Anchor(DateTimeOffset Wall, long Timestamp, ClockLeap? Silence);

    private readonly TimeProvider time;
    private readonly bool isOn;
    private readonly ClockState state;
    private volatile Anchor anchor;

    public ClockGuard(TimeProvider time, bool isOn, ClockState state)
    {
        this.time = time;
        this.isOn = isOn;
        this.state = state;
        var now = time.GetUtcNow();
        var isLeap = state.Reference > DateTimeOffset.UnixEpoch && now - state.Reference > ClockState.GreatestSilence;
        anchor = new(now, time.GetTimestamp(), isLeap ? new(state.Reference, now) : null);
    }

    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Why the clock is not believed, as a part of a sentence; null when it is.</summary>
    public string? Distrust => isOn ? ClockDistrust() : null;

    /// <summary>Somebody looked at the clock and found it right; the log says so already.</summary>
    public void Accept() => anchor = new(Now, time.GetTimestamp(), null);

    /// <summary>How much of the time since then does not count, because the vault was silent for too long: a clock that was set forward looks like that.</summary>
    public TimeSpan Uncounted(DateTimeOffset since) => isOn
        ? Leaps().Where(leap => leap.To > since).Aggregate(TimeSpan.Zero, (sum, leap) => sum + (leap.To - leap.From))
        : TimeSpan.Zero;

    /// <summary>The log's leaps, and the silence that this process met when it opened the vault, until an entry ends it.</summary>
    private IReadOnlyList<ClockLeap> Leaps() => anchor.Silence is { } silence && state.Reference == silence.From ? [.. state.Leaps, silence] : state.Leaps;

    private string? ClockDistrust()
    {
        var (now, since) = (Now, anchor);
        var expected = since.Wall + time.GetElapsedTime(since.Timestamp);
        if ((now - expected).Duration() > GreatestJump)
            return $"it was set from about {Text(expected)} to {Text(now)} while the vault was open";
        if (now < state.Reference - ClockState.Tolerance)
            return $"it says {Text(now)}, and the vault was written at {Text(state.Reference)}";
        return Leaps() is [.., var last] && now - last.To < ClockState.Settling
            ? $"the vault was not written to from {Text(last.From)} to {Text(last.To)}, which looks like a clock that was set forward; unless it is set back it is trusted from {Text(last.To + ClockState.Settling)} on"
            : null;
    }

    private static string Text(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
