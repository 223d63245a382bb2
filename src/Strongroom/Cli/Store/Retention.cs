using System.Globalization;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Which snapshots of one item stay: of each kind of period the newest snapshot of that many newest periods that have one. Periods are of UTC; weeks are of ISO 8601.</summary>
internal sealed record Retention
{
    public int Last { get; init; }

    public int Hourly { get; init; }

    public int Daily { get; init; }

    public int Weekly { get; init; }

    public int Monthly { get; init; }

    public int Yearly { get; init; }

    /// <summary>True when no rule keeps anything.</summary>
    public bool IsEmpty => Counts.All(count => count == 0);

    /// <summary>False when a rule keeps less than nothing.</summary>
    public bool IsPossible => Counts.All(count => count >= 0);

    private int[] Counts => [Last, Hourly, Daily, Weekly, Monthly, Yearly];

    /// <summary>The snapshots that stay. A snapshot that several rules keep counts for each.</summary>
    public IReadOnlySet<SnapshotId> Keep(IEnumerable<Snapshot> snapshotsOfItem)
    {
        var newestFirst = snapshotsOfItem.OrderByDescending(snapshot => snapshot.LogSequence).ToList();
        var kept = newestFirst.Take(Last).Select(snapshot => snapshot.Id).ToHashSet();
        Add(Hourly, time => time.ToString("yyyyMMddHH", CultureInfo.InvariantCulture));
        Add(Daily, time => time.ToString("yyyyMMdd", CultureInfo.InvariantCulture));
        Add(Weekly, time => $"{ISOWeek.GetYear(time)}-{ISOWeek.GetWeekOfYear(time)}");
        Add(Monthly, time => time.ToString("yyyyMM", CultureInfo.InvariantCulture));
        Add(Yearly, time => time.ToString("yyyy", CultureInfo.InvariantCulture));
        return kept;

        void Add(int count, Func<DateTime, string> period) =>
            kept.UnionWith(newestFirst.DistinctBy(snapshot => period(snapshot.CreatedAt.UtcDateTime)).Take(count).Select(snapshot => snapshot.Id));
    }
}
