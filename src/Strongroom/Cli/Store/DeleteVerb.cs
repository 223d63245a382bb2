using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store delete</c>.</summary>
internal static class DeleteVerb
{
    public static Command Create()
    {
        var ids = new Argument<string[]>("SNAPSHOT") { Description = "Ids of snapshots, or their beginnings.", Arity = ArgumentArity.OneOrMore };
        var command = new VerbCommand("delete", "Delete snapshots; 'gc' gives their room back.") { ids };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);

            // All are found before the first is deleted: a mistyped id deletes nothing.
            var snapshots = parsed.GetRequiredValue(ids).Select(id => SnapshotChoice.Find(vault, id)).DistinctBy(snapshot => snapshot.Id).ToList();
            foreach (var snapshot in snapshots)
                await vault.DeleteSnapshotAsync(snapshot.Id, cancellationToken);
            var days = vault.Governance.Policy.SoftDeleteDays;
            return new(
                new() { ["deleted"] = new JsonArray([.. snapshots.Select(JsonNode (snapshot) => snapshot.Id.Value)]), ["softDeleteDays"] = days },
                [
                    .. snapshots.Select(snapshot => $"Deleted {snapshot.Id} of {Shown.Text(snapshot.ItemId)}."),
                    days > 0 ? $"'undelete' can bring them back for {Sizes.Count(days, "day")}." : "The vault's policy keeps no deleted snapshots: they cannot be brought back.",
                ]);
        });
        return command;
    }
}
