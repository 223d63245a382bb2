using System.Globalization;

namespace Strongroom.Backup.RecoveryPoints;

/// <summary>What names a recovery point from the moment of its snapshot on.</summary>
/// <param name="Name">A decimal number of 18 digits, greater than that of every earlier point of its item.</param>
/// <param name="Time">When the snapshot of the machine or share was taken; of a share that has none, when the reading of its files began.</param>
public sealed record PointIdentity(string Name, DateTimeOffset Time)
{
    /// <summary>That of a snapshot taken now. While the machine's clock, set back, catches up with the newest point, time stands still and names count on.</summary>
    public static PointIdentity Next(DateTimeOffset now, RecoveryPoint? newest)
    {
        var time = newest?.Time > now ? newest.Time : now;
        var number = newest is null ? time.UtcTicks : Math.Max(time.UtcTicks, long.Parse(newest.Name, CultureInfo.InvariantCulture) + 1);
        return new(number.ToString(CultureInfo.InvariantCulture), time);
    }
}
