namespace Strongroom.Clients.TimeTravel;

/// <summary>Which recovery points an item has at noon of a day, by brute force: each point is looked at each day.</summary>
internal sealed class LifeModel
{
    private readonly List<Point> _points = [];

    /// <param name="Kinds">D daily, W weekly, M monthly, Y yearly; empty: taken on demand.</param>
    /// <param name="GoneOn">Of a point taken on demand: the day at whose noon it is gone.</param>
    private sealed record Point(DateTimeOffset Time, DateOnly Day, string Kinds, DateOnly? GoneOn);

    public LifeRules Rules { get; set; } = LifeRules.Broad;

    /// <summary>Whether its schedule makes backups.</summary>
    public bool IsBackedUp { get; set; } = true;

    /// <summary>Whether its points expire.</summary>
    public bool IsPruned { get; set; } = true;

    /// <summary>About the times of the points, newest first.</summary>
    public IEnumerable<DateTimeOffset> Times => _points.Select(point => point.Time).OrderDescending();

    /// <summary>From noon of the day before to noon of this day.</summary>
    public void Live(DateOnly day)
    {
        if (IsBackedUp)
            _points.Add(new(LifeRules.DueOn(day), day, "D" + string.Concat(Rules.IsOf.Where(kind => kind.Value(day)).Select(kind => kind.Key)), null));
        if (!IsPruned || _points.Count == 0)
            return;
        var newest = _points.MaxBy(point => point.Time)!;
        _points.RemoveAll(point => GoneOn(point) <= day);
        if (_points.Count == 0)
            _points.Add(newest);
    }

    /// <param name="time">In the afternoon of a day.</param>
    /// <param name="goneOn">Null: nobody said, and it is kept for 30 days.</param>
    public void TakeOnDemand(DateTimeOffset time, DateOnly? goneOn)
    {
        var day = DateOnly.FromDateTime(time.UtcDateTime);
        // In the afternoon of the thirtieth day.
        _points.Add(new(time, day, "", goneOn ?? day.AddDays(31)));
    }

    public void Purge() => _points.Clear();

    private DateOnly GoneOn(Point point)
    {
        if (point.GoneOn is { } day)
            return day;
        // A kind that the policy does not have any more is kept as the next lower one is.
        var last = point.Day;
        foreach (var kind in point.Kinds)
        {
            var lower = "DWMY".Take("DWMY".IndexOf(kind, StringComparison.Ordinal) + 1).Last(Rules.Until.ContainsKey);
            if (Rules.Until[lower](point.Day) is var end && end > last)
                last = end;
        }
        return last;
    }
}
