using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using Strongroom.Backup.Policies;

namespace Strongroom.Backup.Tests.Policies;

/// <summary>What is kept how long: by example, and compared with a model that goes through the calendar day by day.</summary>
public sealed class RetentionTests
{
    private const RetentionTags Daily = RetentionTags.Daily, Weekly = RetentionTags.Weekly, Monthly = RetentionTags.Monthly, Yearly = RetentionTags.Yearly;

    private static readonly RetentionRules s_all = new(
        new(7), new([DayOfWeek.Sunday], 4), new(new WeekdaysOfMonth([DayOfWeek.Sunday], [1], false), 12), new([1], new WeekdaysOfMonth([DayOfWeek.Sunday], [1], false), 10));

    private static readonly Gen<ImmutableArray<DayOfWeek>> s_weekdays = Gen.Int[1, 127].Select(days => Enum.GetValues<DayOfWeek>().Where(d => (days >> (int)d & 1) == 1).ToImmutableArray());

    private static readonly Gen<MonthDays> s_monthDays = Gen.OneOf(
        Gen.Select(Gen.Int[1, 31].Array[0, 4], Gen.Bool, (dates, isLast) => (MonthDays)new DatesOfMonth([.. dates.Distinct()], isLast)),
        Gen.Select(s_weekdays, Gen.Int[1, 4].Array[0, 3], Gen.Bool, (days, weeks, isLast) => (MonthDays)new WeekdaysOfMonth(days, [.. weeks.Distinct()], isLast)));

    private static readonly Gen<RetentionRules> s_rules = Gen.Select(
        Gen.Int[7, 60].Select(n => new DailyRetention(n)).Null(0.3),
        Gen.Select(s_weekdays, Gen.Int[1, 30], (days, n) => new WeeklyRetention(days, n)).Null(0.3),
        Gen.Select(s_monthDays, Gen.Int[1, 30], (days, n) => new MonthlyRetention(days, n)).Null(0.3),
        Gen.Select(Gen.Int[1, 12].Array[1, 5], s_monthDays, Gen.Int[1, 12], (months, days, n) => new YearlyRetention([.. months.Distinct()], days, n)).Null(0.3),
        (daily, weekly, monthly, yearly) => new RetentionRules(daily, daily is null ? weekly ?? new([DayOfWeek.Monday], 2) : weekly, monthly, yearly));

    private static readonly Gen<PointFacts> s_point = Gen.Select(
        Gen.Int[0, 500 * 24 * 4], Gen.Bool, Gen.Int[-40, 40], Gen.Int[-20, 15], Gen.Int[-600, 300], Gen.Int[0, 3],
        (quarters, isOnDemand, expiry, tags, late, near) =>
        {
            // Close together, so that days have several points. Below zero is what is not there.
            var time = new DateTimeOffset(2025, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(15 * (near == 0 ? quarters : quarters % 2000));
            return new PointFacts($"{quarters}-{near}-{isOnDemand}-{tags}-{late}", time, isOnDemand && near == 1, expiry < 0 ? null : time.AddDays(expiry),
                tags < 1 ? null : (RetentionTags)tags, late < 0 ? null : time.AddMinutes(-late));
        });

    [Fact]
    public void Every_point_has_the_tags_and_the_expiry_of_a_model_that_counts_days() =>
        Gen.Select(s_rules, s_point.Array[1, 40], Gen.Int[0, 2]).Sample((rules, drawn, place) =>
        {
            var zone = new[] { "UTC", "Europe/Berlin", "America/New_York" }[place];
            var points = drawn.DistinctBy(p => p.Name).ToList();
            var terms = Terms(rules, zone);
            var expected = points.Select(p => Model(terms, points, p)).ToList();
            Assert.Equal(expected, RetentionEvaluation.Evaluate(terms, points));
        }, iter: 300);

    [Fact]
    public void The_first_point_of_its_day_is_kept_for_week_month_and_year()
    {
        // 2026-01-04 is the first Sunday of January, of the month and of the year.
        var kept = Evaluate(s_all, "2026-01-04T03:00:00Z", "2026-01-04T11:00:00Z", "2026-01-05T03:00:00Z", "2026-01-11T03:00:00Z", "2026-02-01T03:00:00Z");

        Assert.Equal(
            [
                (Daily | Weekly | Monthly | Yearly, At("2036-01-04T03:00:00Z")), (Daily, At("2026-01-11T11:00:00Z")), (Daily, At("2026-01-12T03:00:00Z")),
                (Daily | Weekly, At("2026-02-08T03:00:00Z")), (Daily | Weekly | Monthly, At("2027-02-01T03:00:00Z")),
            ],
            kept.Select(k => (k.Tags, k.ExpiresAt)));
    }

    [Fact]
    public void A_point_taken_on_demand_is_no_first_of_its_day_and_goes_when_it_was_told()
    {
        var terms = Terms(s_all, "UTC");
        var kept = RetentionEvaluation.Evaluate(terms,
        [
            new("asked", At("2026-01-04T01:00:00Z"), true, At("2026-03-01T00:00:00Z")),
            new("unsaid", At("2026-01-04T02:00:00Z"), true, null),
            new("scheduled", At("2026-01-04T03:00:00Z"), false, null),
        ]);
        Assert.Equal(
            [(RetentionTags.None, At("2026-03-01T00:00:00Z")), (RetentionTags.None, At("2026-02-03T02:00:00Z")), (Daily | Weekly | Monthly | Yearly, At("2036-01-04T03:00:00Z"))],
            kept.Select(k => (k.Tags, k.ExpiresAt)));
    }

    [Fact]
    public void A_backup_that_began_late_keeps_the_place_that_it_was_meant_for()
    {
        var late = new PointFacts("late", At("2026-01-05T00:20:00Z"), false, null, DueAt: At("2026-01-04T23:30:00Z"));
        Assert.Equal(Daily | Weekly | Monthly | Yearly, Assert.Single(RetentionEvaluation.Evaluate(Terms(s_all, "UTC"), [late])).Tags);
    }

    [Theory]
    [InlineData("weekly after daily: daily points go", Daily, false, "2026-01-04")]
    [InlineData("weekly after daily: weekly points stay", Daily | Weekly, false, "2026-02-01")]
    [InlineData("daily after weekly: weekly points are kept as daily ones", Weekly, true, "2026-01-14")]
    [InlineData("no monthly any more: what was monthly is kept as weekly", Daily | Monthly, false, "2026-02-01")]
    [InlineData("no yearly any more", Daily | Yearly, true, "2026-01-14")]
    [InlineData("the new duration holds", Daily, true, "2026-01-14")]
    public void A_changed_policy_applies_to_points_that_exist(string what, RetentionTags tags, bool isDaily, string expiry)
    {
        var rules = isDaily ? new RetentionRules(new(10), null, null, null) : new RetentionRules(null, new([DayOfWeek.Sunday], 4), null, null);
        var kept = Assert.Single(RetentionEvaluation.Evaluate(Terms(rules, "UTC"), [new("p", At("2026-01-04T03:00:00Z"), false, null, tags)]));
        Assert.Equal((what, tags, At(expiry + "T03:00:00Z")), (what, kept.Tags, kept.ExpiresAt));
    }

    [Fact]
    public void With_a_weekly_schedule_every_scheduled_point_is_a_weekly_one()
    {
        // It was caught up on a Tuesday.
        var rules = new RetentionRules(null, new([DayOfWeek.Sunday], 4), null, null);
        Assert.Equal((Weekly, At("2026-02-03T03:00:00Z")), (Evaluate(rules, "2026-01-06T03:00:00Z")[0].Tags, Evaluate(rules, "2026-01-06T03:00:00Z")[0].ExpiresAt));
    }

    [Theory]
    [InlineData("2026-01-31T03:00:00Z", 1, "2026-02-28T03:00:00Z")] // a month without such a day ends at its last
    [InlineData("2026-03-28T01:30:00Z", 12, "2027-03-28T01:00:00Z")] // 02:30 in Berlin, which the last day does not have
    public void Months_are_the_calendars(string time, int months, string expiry)
    {
        var rules = new RetentionRules(new(7), null, new(new DatesOfMonth([28], true), months), null);
        Assert.Equal(At(expiry), RetentionEvaluation.Expiry(Terms(rules, time.Contains("01:30", StringComparison.Ordinal) ? "Europe/Berlin" : "UTC"), At(time), Daily | Monthly));
    }

    private static PointRetention Model(PolicyTerms terms, List<PointFacts> points, PointFacts point)
    {
        if (point.IsOnDemand) return new(point.Name, point.ExpiresAt ?? point.Time + TimeSpan.FromDays(30), RetentionTags.None);
        var tags = point.Tags ?? ModelTags(terms, points, point);
        var rules = terms.Retention;
        var ends = new List<DateTimeOffset> { point.Time };
        foreach (var tag in new[] { Yearly, Monthly, Weekly, Daily }.Where(t => (tags & t) != 0))
        {
            // Down from the tag to the first that the policy has.
            if (tag == Yearly && rules.Yearly is { } yearly) ends.Add(Later(terms, point.Time, t => t.AddYears(yearly.Years)));
            else if (tag >= Monthly && rules.Monthly is { } monthly) ends.Add(Later(terms, point.Time, t => t.AddMonths(monthly.Months)));
            else if (tag >= Weekly && rules.Weekly is { } weekly) ends.Add(Later(terms, point.Time, t => t.AddDays(weekly.Weeks * 7)));
            else if (rules.Daily is { } daily) ends.Add(Later(terms, point.Time, t => t.AddDays(daily.Days)));
        }

        return new(point.Name, ends.Max(), tags);
    }

    private static RetentionTags ModelTags(PolicyTerms terms, List<PointFacts> points, PointFacts point)
    {
        var rules = terms.Retention;
        var tags = rules.Daily is null ? Weekly : Daily;
        var day = Shown(terms, point.DueAt ?? point.Time).Date;
        (DateTimeOffset, DateTimeOffset, string) Order(PointFacts p) => (p.DueAt ?? p.Time, p.Time, p.Name);
        var rivals = points.Where(p => !p.IsOnDemand && Shown(terms, p.DueAt ?? p.Time).Date == day);
        if (rivals.Any(p => Comparer<(DateTimeOffset, DateTimeOffset, string)>.Create((a, b) =>
            a.Item1 != b.Item1 ? a.Item1.CompareTo(b.Item1) : a.Item2 != b.Item2 ? a.Item2.CompareTo(b.Item2) : string.CompareOrdinal(a.Item3, b.Item3)).Compare(Order(p), Order(point)) < 0)) return tags;
        if (rules.Weekly is { } weekly && weekly.Days.Contains(day.DayOfWeek)) tags |= Weekly;
        if (rules.Monthly is { } monthly && IsDay(monthly.Days, day)) tags |= Monthly;
        if (rules.Yearly is { } yearly && yearly.Months.Contains(day.Month) && IsDay(yearly.Days, day)) tags |= Yearly;
        return tags;
    }

    /// <summary>Goes through the month and counts.</summary>
    private static bool IsDay(MonthDays days, DateTime day)
    {
        var month = new List<DateTime>();
        for (var d = new DateTime(day.Year, day.Month, 1); d.Month == day.Month; d = d.AddDays(1)) month.Add(d);
        if (days is DatesOfMonth dates) return dates.Dates.Contains(day.Day) || (dates.IsLast && month[^1] == day);
        var weekdays = (WeekdaysOfMonth)days;
        var same = month.FindAll(d => d.DayOfWeek == day.DayOfWeek);
        return weekdays.Days.Contains(day.DayOfWeek) && (weekdays.Weeks.Contains(same.IndexOf(day) + 1) || (weekdays.IsLast && same[^1] == day));
    }

    /// <summary>The first minute at which the clock shows the later time or more.</summary>
    private static DateTimeOffset Later(PolicyTerms terms, DateTimeOffset time, Func<DateTime, DateTime> add)
    {
        var wanted = add(Shown(terms, time));
        var minute = new DateTimeOffset(wanted, TimeSpan.Zero).AddHours(-7);
        while (Shown(terms, minute) < wanted) minute = minute.AddMinutes(1);
        return minute;
    }

    private static DateTime Shown(PolicyTerms terms, DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, terms.TimeZone).DateTime;

    private static IReadOnlyList<PointRetention> Evaluate(RetentionRules rules, params string[] times) =>
        RetentionEvaluation.Evaluate(Terms(rules, "UTC"), [.. times.Select(t => new PointFacts(t, At(t), false, null))]);

    private static PolicyTerms Terms(RetentionRules rules, string zone) => new()
    {
        TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zone),
        Schedule = new DailySchedule([new(3, 0)]),
        Retention = rules,
        InstantDays = 2,
        IsEnhanced = false,
    };

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
