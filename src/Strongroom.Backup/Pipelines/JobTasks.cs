using System.Collections.Immutable;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.Pipelines.Restores;

namespace Strongroom.Backup.Pipelines;

/// <summary>The tasks of a backup job, in Azure's words.</summary>
public static class BackupTasks
{
    public const string TakeSnapshot = "Take Snapshot";
    public const string Transfer = "Transfer data to vault";

    public static ImmutableArray<JobTask> Initial { get; } = [new(TakeSnapshot, "NotStarted", null, null), new(Transfer, "NotStarted", null, null)];
}

/// <summary>The tasks of a restore job, in Azure's words.</summary>
public static class RestoreTasks
{
    public const string Transfer = "Transfer data from vault";
    public const string Create = "Create the restored virtual machine";
    public const string Boot = "Boot from the recovery point";
    public const string Update = "Update the virtual machine";

    public static ImmutableArray<JobTask> Of(string recoveryType) => recoveryType switch
    {
        RecoveryTypes.AlternateLocation => [NotStarted(Transfer), NotStarted(Create)],
        RecoveryTypes.OriginalLocation => [NotStarted(Transfer), NotStarted(Update)],
        RecoveryTypes.InstantBoot => [NotStarted(Boot), NotStarted(Transfer)],
        _ => [NotStarted(Transfer)],
    };

    private static JobTask NotStarted(string name) => new(name, "NotStarted", null, null);
}

internal static class JobTaskChanges
{
    public static Job Begin(this Job job, string task, DateTimeOffset now) =>
        job.Change(task, t => t with { State = JobStates.InProgress, StartedAt = t.StartedAt ?? now, EndedAt = null });

    /// <summary>The task has to be done again from its begin.</summary>
    public static Job Reset(this Job job, string task) => job.Change(task, t => new(t.Name, "NotStarted", null, null));

    public static Job Complete(this Job job, string task, DateTimeOffset now) =>
        job.Change(task, t => t.State == JobStates.Completed ? t : t with { State = JobStates.Completed, StartedAt = t.StartedAt ?? now, EndedAt = now });

    public static Job Detail(this Job job, string task, string details) => job.Change(task, t => t with { Details = details });

    private static Job Change(this Job job, string task, Func<JobTask, JobTask> change) =>
        job with { Tasks = [.. job.Tasks.Select(t => t.Name == task ? change(t) : t)] };
}
