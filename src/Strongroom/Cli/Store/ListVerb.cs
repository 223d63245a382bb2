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
            return Live(vault, [.. SnapshotChoice.InOrder(vault).Where(snapshot => wanted is null || snapshot.ItemId == wanted)]);
        });
        return command;
    }

    private static VerbResult Live(VaultStore vault, List<Snapshot> snapshots)
    {
        var json = new JsonObject { ["vaultId"] = vault.VaultId, ["snapshots"] = new JsonArray([.. snapshots.Select(SnapshotJson.Of)]) };
        if (snapshots.Count == 0)
            return new(json, ["The vault holds no snapshot."]);
        List<string> lines = [$"{"Snapshot",-36}  {"Time (UTC)",-19}  {"Kind",-6}  {"Size",9}  Item"];
        lines.AddRange(snapshots.Select(s => $"{s.Id}  {Sizes.Time(s.CreatedAt)}  {SnapshotJson.Kind(s),-6}  {SizeOf(s),9}  {s.ItemId}"));
        return new(json, lines);
    }

    private static string SizeOf(Snapshot snapshot) => snapshot.Trees.Count > 0 ? "" : Sizes.Text(SnapshotJson.LengthBytes(snapshot));
}
