using System.CommandLine;
using System.Globalization;
using System.Text;
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
                throw new UsageException($"Snapshot {source.Id} holds no folder but {SnapshotJson.KindText(source)}.");
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
        ["linkTarget"] = entry.Kind == TreeEntryKind.SymbolicLink ? TargetOf(entry) : null,
    };

    private static string Line(TreeEntry entry) => string.Create(
        CultureInfo.InvariantCulture,
        $"{KindLetter(entry.Kind)} {Convert.ToString(entry.Mode, 8),4} {entry.UserName,-8} {entry.GroupName,-8} {Sizes.Text(entry.LengthBytes),9}  {Sizes.Time(entry.ModifiedAt.ToDateTimeOffset())}  {Name(entry)}");

    private static string Name(TreeEntry entry) => Shown.Text(entry.NameText) + entry.Kind switch
    {
        TreeEntryKind.Folder => "/",
        TreeEntryKind.SymbolicLink => $" -> {Shown.Text(TargetOf(entry))}",
        _ => "",
    };

    /// <summary>For people: what is not UTF-8 in it is replaced.</summary>
    private static string TargetOf(TreeEntry entry) => Encoding.UTF8.GetString(entry.LinkTarget.Span);

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
