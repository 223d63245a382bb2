using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store ls</c>: a folder in a snapshot of a folder.</summary>
internal static class LsVerb
{
    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var path = ChoiceOptions.Path();
        var command = new VerbCommand("ls", "Show what a folder in a snapshot holds.") { snapshot, item, path };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            if (source.Trees.Count != 1)
                throw new UsageException($"Snapshot {source.Id} holds no folder but a {SnapshotJson.Kind(source)}.");
            var entries = new List<TreeEntry>();
            await foreach (var entry in vault.ListTreeAsync(source.Trees[0].Tree, TreePath.Of(parsed.GetValue(path) ?? ""), cancellationToken))
                entries.Add(entry);
            return new(
                new() { ["snapshot"] = source.Id.Value, ["entries"] = new JsonArray([.. entries.Select(Json)]) },
                [.. entries.Select(Line)]);
        });
        return command;
    }

    private static JsonObject Json(TreeEntry entry) => new()
    {
        ["name"] = entry.NameText,
        ["kind"] = entry.Kind.ToString(),
        ["lengthBytes"] = entry.LengthBytes,
        ["mode"] = Convert.ToString(entry.Mode, 8),
        ["modifiedAt"] = Sizes.IsoTime(entry.ModifiedAt.ToDateTimeOffset()),
        ["user"] = entry.UserName,
        ["group"] = entry.GroupName,
    };

    private static string Line(TreeEntry entry) => string.Create(
        CultureInfo.InvariantCulture,
        $"{KindLetter(entry.Kind)} {Convert.ToString(entry.Mode, 8),4} {entry.UserName,-8} {entry.GroupName,-8} {Sizes.Text(entry.LengthBytes),9}  {Sizes.Time(entry.ModifiedAt.ToDateTimeOffset())}  {Shown(entry)}");

    /// <summary>A file's name may hold anything, a terminal's orders too.</summary>
    private static string Shown(TreeEntry entry) => string.Concat(entry.NameText.Select(letter => char.IsControl(letter) ? '?' : letter)) + (entry.Kind == TreeEntryKind.Folder ? "/" : "");

    private static char KindLetter(TreeEntryKind kind) => kind switch
    {
        TreeEntryKind.Folder => 'd',
        TreeEntryKind.SymbolicLink => 'l',
        TreeEntryKind.Fifo => 'p',
        TreeEntryKind.Socket => 's',
        TreeEntryKind.CharacterDevice => 'c',
        TreeEntryKind.BlockDevice => 'b',
        _ => '-',
    };
}
