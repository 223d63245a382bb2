using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store prune</c>: deletes the snapshots that no rule keeps, item by item.</summary>
internal static class PruneVerb
{
    public static Command Create()
    {
        var last = CommandLine.NumberOption("--keep-last", "Keep this many newest snapshots of each item.", 0);
        var hourly = CommandLine.NumberOption("--keep-hourly", "Keep the newest snapshot of this many hours.", 0);
        var daily = CommandLine.NumberOption("--keep-daily", "Keep the newest snapshot of this many days.", 0);
        var weekly = CommandLine.NumberOption("--keep-weekly", "Keep the newest snapshot of this many weeks.", 0);
        var monthly = CommandLine.NumberOption("--keep-monthly", "Keep the newest snapshot of this many months.", 0);
        var yearly = CommandLine.NumberOption("--keep-yearly", "Keep the newest snapshot of this many years.", 0);
        var item = new Option<string?>("--item") { Description = "Only the snapshots of this item." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be deleted." };
        var command = new VerbCommand("prune", "Delete snapshots that no rule keeps; 'gc' gives their room back.") { last, hourly, daily, weekly, monthly, yearly, item, dryRun };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var retention = new Retention
            {
                Last = parsed.GetValue(last),
                Hourly = parsed.GetValue(hourly),
                Daily = parsed.GetValue(daily),
                Weekly = parsed.GetValue(weekly),
                Monthly = parsed.GetValue(monthly),
                Yearly = parsed.GetValue(yearly),
            };
            if (!retention.IsPossible)
                throw new UsageException("The numbers of snapshots to keep are 0 or more.");
            if (retention.IsEmpty)
                throw new UsageException("Say what to keep, for example --keep-last 7: without a rule every snapshot would be deleted.");
            var vault = await context.OpenAsync(cancellationToken);
            return await RunAsync(vault, retention, parsed.GetValue(item), parsed.GetValue(dryRun), cancellationToken);
        });
        return command;
    }

    private static async Task<VerbResult> RunAsync(VaultStore vault, Retention retention, string? item, bool isDryRun, CancellationToken cancellationToken)
    {
        var snapshots = SnapshotChoice.InOrder(vault).Where(snapshot => item is null || snapshot.ItemId == item).ToList();
        if (item is not null && snapshots.Count == 0)
            throw new UsageException(SnapshotChoice.NoneOf(item));
        var kept = snapshots.GroupBy(snapshot => snapshot.ItemId, StringComparer.Ordinal).SelectMany(retention.Keep).ToHashSet();
        var deleted = snapshots.Where(snapshot => !kept.Contains(snapshot.Id)).ToList();
        if (!isDryRun)
        {
            foreach (var snapshot in deleted)
                await vault.DeleteSnapshotAsync(snapshot.Id, cancellationToken);
        }

        List<string> lines = [.. deleted.Select(s => $"{(isDryRun ? "Would delete" : "Deleted")} {s.Id}  {Sizes.Time(s.CreatedAt)}  {Shown.Text(s.ItemId)}")];
        lines.Add($"{(isDryRun ? "Would keep" : "Kept")} {Sizes.Count(kept.Count, "snapshot")}, {(isDryRun ? "would delete" : "deleted")} {deleted.Count}.");
        return new(
            new()
            {
                ["dryRun"] = isDryRun,
                ["kept"] = new JsonArray([.. snapshots.Where(s => kept.Contains(s.Id)).Select(JsonNode (s) => s.Id.Value)]),
                ["deleted"] = new JsonArray([.. deleted.Select(JsonNode (s) => s.Id.Value)]),
            },
            lines);
    }
}
