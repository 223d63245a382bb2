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
        var deleted = new Option<bool>("--deleted") { Description = "The deleted snapshots that 'undelete' can bring back." };
        var command = new VerbCommand("list", "Show the snapshots, oldest first.") { item, deleted };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var wanted = parsed.GetValue(item);
            return parsed.GetValue(deleted)
                ? Deleted(vault, [.. SnapshotChoice.DeletedInOrder(vault).Where(one => wanted is null || one.Snapshot.ItemId == wanted)])
                : Live(vault, [.. SnapshotChoice.InOrder(vault).Where(snapshot => wanted is null || snapshot.ItemId == wanted)]);
        });
        return command;
    }

    private static VerbResult Live(VaultStore vault, List<Snapshot> snapshots)
    {
        var json = new JsonObject { ["vaultId"] = vault.VaultId, ["snapshots"] = new JsonArray([.. snapshots.Select(SnapshotJson.Of)]) };
        if (snapshots.Count == 0)
            return new(json, ["The vault holds no snapshot."]);
        List<string> lines = [$"{"Snapshot",-36}  {"Time (UTC)",-19}  {"Kind",-6}  {"Size",9}  Item"];
        lines.AddRange(snapshots.Select(s => $"{s.Id}  {Sizes.Time(s.CreatedAt)}  {SnapshotJson.Kind(s),-6}  {SizeOf(s),9}  {Shown.Text(s.ItemId)}"));
        return new(json, lines);
    }

    private static VerbResult Deleted(VaultStore vault, List<SoftDeletedSnapshot> deleted)
    {
        var snapshots = new JsonArray();
        foreach (var one in deleted)
        {
            var snapshot = SnapshotJson.Of(one.Snapshot);
            snapshot["deletedAt"] = Sizes.IsoTime(one.DeletedAt);
            snapshot["deleteAfter"] = Sizes.IsoTime(one.DeleteAfter);
            snapshots.Add(snapshot);
        }

        var json = new JsonObject { ["vaultId"] = vault.VaultId, ["deleted"] = snapshots };
        if (deleted.Count == 0)
            return new(json, ["There is no deleted snapshot that could be brought back."]);
        List<string> lines = [$"{"Snapshot",-36}  {"Time (UTC)",-19}  {"Kept until (UTC)",-19}  Item"];
        lines.AddRange(deleted.Select(one => $"{one.Snapshot.Id}  {Sizes.Time(one.Snapshot.CreatedAt)}  {Sizes.Time(one.DeleteAfter)}  {Shown.Text(one.Snapshot.ItemId)}"));
        return new(json, lines);
    }

    private static string SizeOf(Snapshot snapshot) => snapshot.Trees.Count > 0 ? "" : Sizes.Text(SnapshotJson.LengthBytes(snapshot));
}
