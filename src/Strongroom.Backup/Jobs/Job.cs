using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Strongroom.Backup.Items;
using Strongroom.Backup.Pipelines;
using Strongroom.Backup.Pipelines.Restores;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Jobs;

/// <summary>Azure's names of the job operations.</summary>
public static class JobOperations
{
    public const string Backup = "Backup";
    public const string Restore = "Restore";
    public const string ConfigureBackup = "ConfigureBackup";
    public const string DisableBackup = "DisableBackup";
    public const string DeleteBackupData = "DeleteBackupData";
    public const string Undelete = "Undelete";

    /// <summary>Our own: a recovery point is booted to prove that it can be.</summary>
    public const string VerifyRestore = "VerifyRestore";
}

/// <summary>Azure's names of the job states.</summary>
public static class JobStates
{
    public const string InProgress = "InProgress";
    public const string Cancelling = "Cancelling";
    public const string Completed = "Completed";
    public const string CompletedWithWarnings = "CompletedWithWarnings";
    public const string Failed = "Failed";
    public const string Cancelled = "Cancelled";

    public static bool IsLive(string state) => state is InProgress or Cancelling;
}

/// <summary>A step of a job as <c>extendedInfo.tasksList</c> shows it.</summary>
/// <param name="State"><c>NotStarted</c> or one of <see cref="JobStates"/>.</param>
/// <param name="Details">Such as "127 GBs / 127 GBs Transferred", or null.</param>
public sealed record JobTask(string Name, string State, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, string? Details = null);

/// <summary>What went wrong, as <c>errorDetails</c> shows it.</summary>
/// <param name="Code">Azure Backup's number, such as 400002.</param>
public sealed record JobError(int Code, string Title, string Message, ImmutableArray<string> Recommendations);

/// <summary>A job: one row of the ledger, and the truth about what was asked for and how far it is.</summary>
public sealed record Job
{
    public required Guid Id { get; init; }
    public required Guid VaultKey { get; init; }
    public required Guid ItemKey { get; init; }

    /// <summary>The item's native name when the job was made; jobs outlive their items.</summary>
    public required string NativeName { get; init; }
    public required string FriendlyName { get; init; }

    /// <summary>One of <see cref="JobOperations"/>.</summary>
    public required string Operation { get; init; }

    /// <summary>One of <see cref="JobStates"/>.</summary>
    public required string State { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What the handler of the operation needs to do it, or to do it again after a restart.</summary>
    public JsonObject Request { get; init => field = value ?? []; } = [];

    public ImmutableArray<JobTask> Tasks { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Azure's propertyBag; keys in Azure's spelling.</summary>
    public ImmutableSortedDictionary<string, string> Properties { get; init => field = value ?? ImmutableSortedDictionary<string, string>.Empty; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Azure's internalPropertyBag; our own numbers are in it under <c>strongroom.</c></summary>
    public ImmutableSortedDictionary<string, string> InternalProperties { get; init => field = value ?? ImmutableSortedDictionary<string, string>.Empty; } = ImmutableSortedDictionary<string, string>.Empty;

    public ImmutableArray<JobError> Errors { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>For a backup whose snapshot is taken: the recovery point that it is about to make.</summary>
    public PointInTransfer? InTransfer { get; init; }

    /// <summary>0 to 100, or null where a job has no measure.</summary>
    public double? ProgressPercent { get; init; }

    public TimeSpan? EstimatedRemaining { get; init; }

    /// <summary>How often a worker began it; more than one after a restart of the server.</summary>
    public int Attempt { get; init; }

    /// <summary>Counts the claims; every write of a worker names the fence it was given, so that a worker that lost its claim cannot write.</summary>
    public long Fence { get; init; }

    public bool IsLive => JobStates.IsLive(State);

    /// <summary>What kind of item it is of.</summary>
    public ItemKind Kind => ItemNames.KindOf(NativeName);

    /// <summary>A machine runs from what the job serves to it: the job is begun before others, however many run, and is never given up as long as the machine needs it.</summary>
    public bool IsServing => Operation == JobOperations.Restore && (string?)Request[RestoreRequest.RecoveryTypeMember] == RecoveryTypes.InstantBoot;

    public bool IsCancelRequested => State == JobStates.Cancelling;

    /// <summary>It only reads, and goes on beside the one job that may change its item; of its kind an item has one at a time, too.</summary>
    public bool RunsBeside => Operation == JobOperations.VerifyRestore;

    /// <summary>False for what a schedule, a policy or the end of soft deletion began.</summary>
    public bool IsUserTriggered => Request[BackupRequest.DueAtMember] is null && Request[DeleteHandler.IsPurge] is null && Operation != JobOperations.VerifyRestore;
}

/// <summary>What a worker was given: the right to write job <see cref="Job"/> for as long as its fence is the newest.</summary>
public sealed record JobClaim(Job Job, long Fence);
