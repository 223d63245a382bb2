namespace Strongroom.Backup.Lifecycle;

/// <summary>How items are backed up, pruned and purged by themselves.</summary>
public sealed record LifecycleOptions
{
    /// <summary>From one look at what is due to the next.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What <see cref="Every"/> is measured by; null: by the clock that says what is due.</summary>
    public TimeProvider? Ticks { get; init; }

    /// <summary>Scheduled backups begin up to this much later than they are due, each item always by the same time.</summary>
    public TimeSpan Spread { get; init; }

    /// <summary>While so many jobs are live, schedules start no other.</summary>
    public int MaxLiveJobs { get; init; } = 8;

    /// <summary>How long jobs that are over are kept, in days from their start: as the service does.</summary>
    public int JobDays { get; init; } = 180;

    /// <summary>How long operations are kept, in days from their start.</summary>
    public int OperationDays { get; init; } = 7;
}
