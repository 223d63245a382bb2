using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store prune</c>: deletes the snapshots that no rule keeps, item by item.</summary>
internal static class PruneVerb
{
    public static Command Create()
    {
        var last = Count("--keep-last", "Keep this many newest snapshots of each item.");
        var hourly = Count("--keep-hourly", "Keep the newest snapshot of this many hours.");
        var daily = Count("--keep-daily", "Keep the newest snapshot of this many days.");
        var weekly = Count("--keep-weekly", "Keep the newest snapshot of this many weeks.");
        var monthly = Count("--keep-monthly", "Keep the newest snapshot of this many months.");
        var yearly = Count("--keep-yearly", "Keep the newest snapshot of this many years.");
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
        var kept = snapshots.GroupBy(snapshot => snapshot.ItemId, StringComparer.Ordinal).SelectMany(retention.Keep).ToHashSet();
        var deleted = snapshots.Where(snapshot => !kept.Contains(snapshot.Id)).ToList();
        if (!isDryRun)
        {
            foreach (var snapshot in deleted)
                await vault.DeleteSnapshotAsync(snapshot.Id, cancellationToken);
        }

        List<string> lines = [.. deleted.Select(s => $"{(isDryRun ? "Would delete" : "Deleted")} {s.Id}  {Sizes.Time(s.CreatedAt)}  {s.ItemId}")];
        lines.Add($"{kept.Count} snapshots {(isDryRun ? "would stay" : "stay")}, {deleted.Count} {(isDryRun ? "would go" : "went")}.");
        return new(
            new()
            {
                ["dryRun"] = isDryRun,
                ["kept"] = new JsonArray([.. snapshots.Where(s => kept.Contains(s.Id)).Select(JsonNode (s) => s.Id.Value)]),
                ["deleted"] = new JsonArray([.. deleted.Select(JsonNode (s) => s.Id.Value)]),
            },
            lines);
    }

    private static Option<int> Count(string name, string description)
    {
        var option = CommandLine.NumberOption(name, description, 0);
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() < 0)
                result.AddError($"{name} takes 0 or more.");
        });
        return option;
    }
}
