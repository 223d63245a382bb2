using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store undelete</c>.</summary>
internal static class UndeleteVerb
{
    public static Command Create()
    {
        var ids = new Argument<string[]>("SNAPSHOT") { Description = "Ids of deleted snapshots, or their beginnings.", Arity = ArgumentArity.OneOrMore };
        var command = new VerbCommand("undelete", "Bring deleted snapshots back.") { ids };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var snapshots = parsed.GetRequiredValue(ids).Select(id => SnapshotChoice.FindDeleted(vault, id)).DistinctBy(snapshot => snapshot.Id).ToList();
            foreach (var snapshot in snapshots)
                await vault.Governance.UndeleteAsync(snapshot.Id, cancellationToken);
            return new(
                new() { ["undeleted"] = new JsonArray([.. snapshots.Select(JsonNode (snapshot) => snapshot.Id.Value)]) },
                [.. snapshots.Select(snapshot => $"Brought back {snapshot.Id} of {Shown.Text(snapshot.ItemId)}.")]);
        });
        return command;
    }
}
