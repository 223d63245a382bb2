using CsCheck;
using Strongroom.Cli.Store;
using Strongroom.Store;

namespace Strongroom.Cli.Tests.Store;

public sealed class RetentionTests
{
    private static readonly DateTimeOffset Start = new(2024, 12, 28, 22, 30, 0, TimeSpan.Zero);

    private static Snapshot At(DateTimeOffset time, long sequence) => new()
    {
        Id = new(Guid.NewGuid()),
        ItemId = "item",
        CreatedAt = time,
        Images = [],
        Consistency = "",
        Configuration = default,
        Parent = null,
        LogSequence = sequence,
    };

    private static List<Snapshot> Every(TimeSpan step, int count) => [.. Enumerable.Range(0, count).Select(i => At(Start + (step * i), i))];

    private static List<DateTimeOffset> Kept(Retention retention, List<Snapshot> snapshots)
    {
        var kept = retention.Keep(snapshots);
        return [.. snapshots.Where(snapshot => kept.Contains(snapshot.Id)).Select(snapshot => snapshot.CreatedAt)];
    }

    [Fact]
    public void The_newest_of_each_day_stays()
    {
        var snapshots = Every(TimeSpan.FromHours(1), 50); // 28 December 22:30 to 30 December 23:30
        Assert.Equal([Start.AddHours(25), Start.AddHours(49)], Kept(new() { Daily = 2 }, snapshots));
        Assert.Equal([Start.AddHours(1), Start.AddHours(25), Start.AddHours(49)], Kept(new() { Daily = 9 }, snapshots));
    }

    [Fact]
    public void Weeks_begin_on_monday_and_do_not_end_with_the_year()
    {
        // Monday, 30 December 2024, to Sunday, 5 January 2025, is one week.
        var snapshots = Every(TimeSpan.FromDays(1), 9); // Saturday 28 to Sunday 5
        Assert.Equal([Start.AddDays(1), Start.AddDays(8)], Kept(new() { Weekly = 5 }, snapshots));
        Assert.Equal([Start.AddDays(3), Start.AddDays(8)], Kept(new() { Yearly = 5 }, snapshots));
        Assert.Equal([Start.AddDays(3), Start.AddDays(8)], Kept(new() { Monthly = 5 }, snapshots));
    }

    [Fact]
    public void Rules_add_up()
    {
        var snapshots = Every(TimeSpan.FromHours(6), 8);
        Assert.Equal([Start.AddHours(24), Start.AddHours(36), Start.AddHours(42)], Kept(new() { Last = 2, Daily = 2 }, snapshots));
    }

    [Fact]
    public void What_is_kept_is_never_more_than_the_rules_add_up_to_and_holds_the_newest() => Gen
        .Select(Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[0, 100_000].Array[1, 40])
        .Where(sample => sample.Item1 + sample.Item2 + sample.Item3 > 0)
        .Sample(sample =>
        {
            var (last, daily, weekly, minutes) = sample;
            var snapshots = minutes.Order().Select((minute, i) => At(Start.AddMinutes(minute), i)).ToList();
            var kept = new Retention { Last = last, Daily = daily, Weekly = weekly }.Keep(snapshots);
            Assert.True(kept.Count <= last + daily + weekly);
            Assert.Contains(snapshots[^1].Id, kept);
            var more = new Retention { Last = last + 1, Daily = daily, Weekly = weekly + 1 }.Keep(snapshots);
            Assert.Superset(kept.ToHashSet(), more.ToHashSet());
        });
}
