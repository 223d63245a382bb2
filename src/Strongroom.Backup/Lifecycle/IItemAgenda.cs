using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.Lifecycle;

/// <summary>An item that is to be looked at.</summary>
/// <param name="Mark">Changes with every write of the item or of its policy.</param>
public sealed record DueItem(Guid ItemKey, long Mark);

/// <summary>Which items are to be looked at when, and the writes of those who look. Every write of an item or of its policy makes the item due at once.</summary>
public interface IItemAgenda
{
    /// <summary>The items that are due, the longest waiting first.</summary>
    Task<IReadOnlyList<DueItem>> ListDueAsync(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>The next time after <paramref name="now"/> for which an item is due, or null.</summary>
    Task<DateTimeOffset?> FindNextAsync(DateTimeOffset now, CancellationToken cancellationToken);

    /// <summary>Says when an item is due next, if nothing was written of it since it was listed.</summary>
    /// <param name="item">As it was listed.</param>
    /// <param name="next">Null: not before something is written of it.</param>
    /// <param name="cancellationToken">Leaves it due.</param>
    Task SetNextAsync(DueItem item, DateTimeOffset? next, CancellationToken cancellationToken);

    /// <summary>Writes the item and admits a job of it, in one transaction.</summary>
    /// <returns>False, and nothing is changed, when the item was written since it was read, or has a live job.</returns>
    Task<bool> TryFireAsync(ProtectedItem item, Job job, CancellationToken cancellationToken);

    /// <summary>Writes the item and takes some of its recovery points off the list, in one transaction.</summary>
    /// <returns>False, and nothing is changed, when the item was written since it was read, or has a live job.</returns>
    Task<bool> TryUnlistAsync(ProtectedItem item, IReadOnlyCollection<string> pointNames, CancellationToken cancellationToken);

    /// <summary>How many jobs of all items are live, but for those that run beside others and those that serve a machine (<see cref="Job.IsServing"/>).</summary>
    Task<int> CountLiveJobsAsync(CancellationToken cancellationToken);

    /// <summary>Removes jobs that are over and operations, by the time of their start.</summary>
    Task ForgetHistoryAsync(DateTimeOffset jobsBefore, DateTimeOffset operationsBefore, CancellationToken cancellationToken);
}
