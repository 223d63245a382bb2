using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store list</c>.</summary>
internal static class ListVerb
{
    public static Command Create()
    {
        var item = new Option<string?>("--item") { Description = "Only the snapshots of this item." };
        var command = new VerbCommand("list", "Show the snapshots, oldest first.") { item };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var wanted = parsed.GetValue(item);
            var snapshots = SnapshotChoice.InOrder(vault).Where(snapshot => wanted is null || snapshot.ItemId == wanted).ToList();
            return new(
                new() { ["vaultId"] = vault.VaultId, ["snapshots"] = new JsonArray([.. snapshots.Select(SnapshotJson.Of)]) },
                Table(snapshots));
        });
        return command;
    }

    private static List<string> Table(List<Snapshot> snapshots)
    {
        if (snapshots.Count == 0)
            return ["The vault holds no snapshot."];
        List<string> lines = [$"{"Snapshot",-36}  {"Time (UTC)",-19}  {"Size",9}  Item"];
        lines.AddRange(snapshots.Select(s => $"{s.Id}  {Sizes.Time(s.CreatedAt)}  {Sizes.Text(SnapshotJson.LengthBytes(s)),9}  {s.ItemId}"));
        return lines;
    }
}
