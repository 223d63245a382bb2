using System.CommandLine;
using System.Globalization;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store lock</c>: keeps a snapshot from being deleted.</summary>
internal static class LockVerb
{
    public static Command Create()
    {
        var id = new Argument<string>("SNAPSHOT") { Description = "The snapshot's id, or its beginning." };
        var until = new Option<string?>("--until") { Description = "Nothing can delete it before this time (ISO 8601). It can be made later, never earlier." };
        var hold = new Option<bool?>("--hold") { Description = "true: nothing can delete it until it is set to false." };
        var command = new VerbCommand("lock", "Keep a snapshot from being deleted.") { id, until, hold };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var time = parsed.GetValue(until) is { } text ? Time(text) : (DateTimeOffset?)null;
            if (time is null && parsed.GetValue(hold) is null)
                throw new UsageException("Say how to keep the snapshot: --until TIME, or --hold true.");
            if (time <= context.Time.GetUtcNow())
                throw new UsageException($"--until {parsed.GetValue(until)} is over already, so it would keep nothing.");
            var vault = await context.OpenAsync(cancellationToken);
            var snapshot = SnapshotChoice.Find(vault, parsed.GetRequiredValue(id));
            if (time is { } end)
                await vault.Governance.LockAsync(snapshot.Id, end, cancellationToken);
            if (parsed.GetValue(hold) is { } isOn)
                await vault.Governance.SetLegalHoldAsync(snapshot.Id, isOn, cancellationToken);
            var now = vault.Find(snapshot.Id) ?? snapshot;
            return new(
                SnapshotJson.Of(now),
                [
                    now.LockedUntil is { } locked ? $"{now.Id} is locked until {Sizes.Time(locked)} UTC." : $"{now.Id} is not locked.",
                    now.HasLegalHold ? "A legal hold is on it." : "No legal hold is on it.",
                ]);
        });
        return command;
    }

    private static DateTimeOffset Time(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw new UsageException($"--until takes a time such as 2030-12-31T00:00:00Z, not '{text}'.");
}
