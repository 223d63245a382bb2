using Strongroom.Backup.Items;

namespace Strongroom.Backup.Jobs;

/// <summary>Which jobs of a vault are asked for; null: all. Texts are compared without regard to case.</summary>
public sealed record JobQuery
{
    public string? State { get; init; }
    public string? Operation { get; init; }
    public Guid? JobId { get; init; }

    /// <summary>Jobs of items of this kind.</summary>
    public ItemKind? Kind { get; init; }

    /// <summary>Jobs that started at or after this.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Jobs that started at or before this.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>A job's place in the list, which is newest first and stable.</summary>
public sealed record JobPosition(DateTimeOffset StartedAt, Guid Id)
{
    public static JobPosition Of(Job job) => new(job.StartedAt, job.Id);
}
