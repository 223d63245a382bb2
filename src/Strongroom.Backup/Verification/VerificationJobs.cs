using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Strongroom.Backup.Items;
using Strongroom.Backup.Jobs;
using Strongroom.Backup.RecoveryPoints;

namespace Strongroom.Backup.Verification;

/// <summary>The tasks of a verification, in our words.</summary>
public static class VerificationTasks
{
    public const string Open = "Open the recovery point";
    public const string Boot = "Boot the virtual machine in isolation";

    public static ImmutableArray<JobTask> Initial { get; } = [new(Open, "NotStarted", null, null), new(Boot, "NotStarted", null, null)];
}

/// <summary>What a verification was asked for.</summary>
internal sealed record VerificationRequest(string PointName, int TimeoutSeconds, string? ConsolePattern, string? HostId)
{
    public JsonObject ToJson() => new()
    {
        ["recoveryPoint"] = PointName,
        ["timeoutSeconds"] = TimeoutSeconds,
        ["consolePattern"] = ConsolePattern,
        ["hostId"] = HostId,
    };

    public static VerificationRequest FromJson(JsonObject json) =>
        new((string)json["recoveryPoint"]!, (int)json["timeoutSeconds"]!, (string?)json["consolePattern"], (string?)json["hostId"]);
}

/// <summary>New verifications.</summary>
internal static class VerificationJobs
{
    public static Job New(ProtectedItem item, RecoveryPoint point, RestoreVerification terms, DateTimeOffset now) =>
        JobFactory.New(item, JobOperations.VerifyRestore, now) with
        {
            Request = new VerificationRequest(point.Name, terms.TimeoutSeconds, terms.ConsolePattern, terms.HostId).ToJson(),
            Tasks = VerificationTasks.Initial,
            Properties = ImmutableSortedDictionary<string, string>.Empty.WithComparers(StringComparer.Ordinal)
                .Add("VM Name", item.FriendlyName).Add("Recovery Point", point.Name),
        };

    /// <summary>The result of a verification that came to none: it was cancelled, or ended by a fault. So it is not begun again and again.</summary>
    public static VerificationOutcome NotDone(Job job, JobError error, DateTimeOffset now) =>
        new(VerificationRequest.FromJson(job.Request).PointName, new(VerificationStates.NotVerified, now) { Message = error.Message }, default);
}
