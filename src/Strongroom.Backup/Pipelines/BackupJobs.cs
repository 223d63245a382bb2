using System.Collections.Immutable;
using System.Globalization;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;

namespace Strongroom.Backup.Pipelines;

/// <summary>New backup jobs.</summary>
internal static class BackupJobs
{
    /// <param name="item">What is backed up.</param>
    /// <param name="expiresAt">When the recovery point is to go, if that was asked for.</param>
    /// <param name="dueAt">When a schedule wanted it; null: it was asked for by somebody.</param>
    /// <param name="now">When it is admitted.</param>
    public static Job New(ProtectedItem item, DateTimeOffset? expiresAt, DateTimeOffset? dueAt, DateTimeOffset now)
    {
        var properties = item.Properties();
        if (expiresAt is { } expiry) properties = properties.Add("Recovery Point Expiry Time in UTC", WireTime(expiry));
        return JobFactory.New(item, JobOperations.Backup, now) with
        {
            Request = new BackupRequest(Guid.NewGuid(), expiresAt, dueAt).ToJson(),
            Tasks = BackupTasks.Initial,
            Properties = properties,
            InternalProperties = item.Kind == ItemKind.VirtualMachine ? ImmutableSortedDictionary<string, string>.Empty.Add("IsInstantRpJob", "True") : ImmutableSortedDictionary<string, string>.Empty,
            ProgressPercent = 0,
        };
    }

    /// <summary>How job properties spell a time: US form, UTC.</summary>
    private static string WireTime(DateTimeOffset at) => at.UtcDateTime.ToString("M/d/yyyy h:mm:ss tt", CultureInfo.InvariantCulture);
}
