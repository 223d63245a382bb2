using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Tests.Policies;

/// <summary>When backups are due, compared with a clock on the wall that is looked at every minute.</summary>
public sealed class ScheduleTests
{
    // Days on which these clocks were put forward, back, by half an hour, or over the date line, and some on which nothing happened.
    private static readonly (string Zone, int Year, int Month, int Day)[] s_days =
    [
        ("Europe/Berlin", 2026, 3, 29), ("Europe/Berlin", 2026, 10, 25), ("America/New_York", 2026, 3, 8), ("America/New_York", 2026, 11, 1),
        ("Australia/Lord_Howe", 2026, 4, 5), ("Australia/Lord_Howe", 2026, 10, 4), ("Pacific/Apia", 2011, 12, 30), ("Pacific/Apia", 2011, 9, 24),
        ("Africa/Casablanca", 2025, 2, 23), ("Africa/Casablanca", 2025, 4, 6), ("W. Europe Standard Time", 2027, 3, 28), ("UTC", 2026, 6, 1), ("Asia/Kathmandu", 2026, 1, 1),
    ];

    private static readonly int[] s_intervals = [4, 6, 8, 12];

    private static readonly Gen<TimeOnly> s_time = Gen.Int[0, 24 * 60 - 1].Select(m => TimeOnly.FromTimeSpan(TimeSpan.FromMinutes(m)));

    private static readonly Gen<ImmutableArray<TimeOnly>> s_times = s_time.Array[1, 4].Select(t => t.Distinct().Order().ToImmutableArray());

    private static readonly Gen<PolicySchedule> s_schedule = Gen.OneOf(
        s_times.Select(t => (PolicySchedule)new DailySchedule(t)),
        Gen.Select(Gen.Int[1, 127], s_times, (days, t) => (PolicySchedule)new WeeklySchedule([.. Enum.GetValues<DayOfWeek>().Where(d => (days >> (int)d & 1) == 1)], t)),
        Gen.Select(s_time, Gen.Int[0, 3], Gen.Int[0, 24], (start, interval, window) => (PolicySchedule)new HourlySchedule(start, s_intervals[interval], Math.Max(s_intervals[interval], window))));

    [Fact]
    public void Backups_are_due_when_a_clock_looked_at_every_minute_first_shows_their_time() =>
        Gen.Select(Gen.Int[0, s_days.Length - 1], Gen.Int[-3 * 1440, 1440], Gen.Int[0, 4 * 1440], s_schedule).Sample((index, from, length, schedule) =>
        {
            var place = s_days[index];
            var zone = TimeZoneInfo.FindSystemTimeZoneById(place.Zone);
            var after = new DateTimeOffset(place.Year, place.Month, place.Day, 0, 0, 0, TimeSpan.Zero).AddMinutes(from);
            var until = after.AddMinutes(length);
            Assert.Equal(Scan(schedule, after, until, zone), schedule.Between(after, until, zone));
        }, iter: 400);

    [Theory]
    [InlineData("Europe/Berlin", "02:30", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")] // the hour from 2 to 3 is not there
    [InlineData("Europe/Berlin", "02:30", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z")] // it is there twice
    [InlineData("America/New_York", "02:00", "2026-03-08T05:00:00Z", "2026-03-08T07:00:00Z")]
    [InlineData("America/New_York", "01:30", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z")]
    [InlineData("Australia/Lord_Howe", "02:00", "2026-10-03T13:00:00Z", "2026-10-03T15:30:00Z")] // half an hour is not there
    [InlineData("Australia/Lord_Howe", "01:30", "2026-04-04T13:00:00Z", "2026-04-04T14:30:00Z")]
    [InlineData("Pacific/Apia", "12:00", "2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z")] // a day is not there
    [InlineData("Pacific Standard Time", "10:00", "2026-06-30T12:00:00Z", "2026-06-30T17:00:00Z")]
    public void A_time_in_a_gap_is_due_after_it_and_one_in_an_overlap_at_the_first(string zone, string time, string after, string due) =>
        Assert.Equal(At(due), new DailySchedule([TimeOnly.Parse(time, CultureInfo.InvariantCulture)])
            .Between(At(after), At(after).AddDays(1), TimeZoneInfo.FindSystemTimeZoneById(zone)).First());

    [Fact]
    public void The_window_of_an_hourly_schedule_has_its_end_and_begins_anew_every_day()
    {
        var schedule = new HourlySchedule(new(8, 0), 4, 12);
        Assert.Equal(
            ["01T08", "01T12", "01T16", "01T20", "02T08"],
            schedule.Between(At("2026-06-01T00:00:00Z"), At("2026-06-02T08:00:00Z"), TimeZoneInfo.Utc).Select(t => t.ToString("dd'T'HH", CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void A_whole_day_has_each_time_once() =>
        Assert.Equal(6 * 30, new HourlySchedule(new(8, 0), 4, 24).Between(At("2026-06-01T00:00:00Z"), At("2026-07-01T00:00:00Z"), TimeZoneInfo.Utc).Distinct().Count());

    [Fact]
    public void The_start_is_left_out_and_the_end_is_in_it_and_the_ends_of_the_calendar_do_no_harm()
    {
        var schedule = new DailySchedule([new(3, 0)]);
        Assert.Equal([At("2026-06-02T03:00:00Z")], schedule.Between(At("2026-06-01T03:00:00Z"), At("2026-06-02T03:00:00Z"), TimeZoneInfo.Utc));
        Assert.Empty(schedule.Between(At("2026-06-02T03:00:00Z"), At("2026-06-01T03:00:00Z"), TimeZoneInfo.Utc));
        Assert.Equal(3, schedule.Between(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, TimeZoneInfo.Utc).Take(3).Count());
        Assert.Empty(schedule.Between(DateTimeOffset.MaxValue, DateTimeOffset.MaxValue, TimeZoneInfo.Utc));
    }

    /// <summary>Each minute the clock is read. What it shows later than ever before, it shows for the first time; what it jumps over, it has shown after the jump.</summary>
    private static List<DateTimeOffset> Scan(PolicySchedule schedule, DateTimeOffset after, DateTimeOffset until, TimeZoneInfo zone)
    {
        var due = new List<DateTimeOffset>();
        var minute = after.AddHours(-48);
        var latest = TimeZoneInfo.ConvertTime(minute, zone).DateTime;
        for (; minute <= until; minute = minute.AddMinutes(1))
        {
            var shown = TimeZoneInfo.ConvertTime(minute, zone).DateTime;
            var isDue = false;
            for (; latest < shown; isDue |= IsTimeOf(schedule, latest)) latest = latest.AddMinutes(1);
            if (isDue && minute > after) due.Add(minute);
        }

        return due;
    }

    private static bool IsTimeOf(PolicySchedule schedule, DateTime shown) => schedule switch
    {
        DailySchedule daily => daily.Times.Contains(TimeOnly.FromDateTime(shown)),
        WeeklySchedule weekly => weekly.Days.Contains(shown.DayOfWeek) && weekly.Times.Contains(TimeOnly.FromDateTime(shown)),
        HourlySchedule hourly => IsInWindow(hourly, (shown - shown.Date - hourly.WindowStart.ToTimeSpan() + TimeSpan.FromDays(1)).TotalMinutes % 1440),
        _ => throw new ArgumentOutOfRangeException(nameof(schedule)),
    };

    private static bool IsInWindow(HourlySchedule schedule, double sinceStart) => sinceStart % (schedule.IntervalHours * 60) == 0 && sinceStart <= schedule.WindowHours * 60;

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
