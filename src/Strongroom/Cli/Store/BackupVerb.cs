using System.CommandLine;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store backup</c>: one verb for everything that can be backed up; an option says what.</summary>
internal static class BackupVerb
{
    public static Command Create()
    {
        var image = new Option<string?>("--image") { Description = "A disk: a raw, qcow2 or fixed VHD file, or a block device." };
        var tree = new Option<string?>("--tree") { Description = "A folder and all below it." };
        var stdin = new Option<bool>("--stdin") { Description = "What comes in on standard input." };
        var parent = new Option<string?>("--parent") { Description = "The snapshot to compare with; 'none' reads and stores on its own. Otherwise the newest of the same item." };
        var item = new Option<string?>("--item") { Description = "What the snapshot is of; otherwise the absolute path, or the name." };
        var format = new Option<ImageFormat>("--format") { Description = "With --image: the format; Auto goes by the file's name.", DefaultValueFactory = _ => ImageFormat.Auto };
        var changed = new Option<string?>("--changed") { Description = "With --image: a file of lines 'offset length', in bytes; all else is as in the parent and is not read." };
        var allow = new Option<bool>("--allow-changing") { Description = "With --image: commit also when the file changed while it was read, and read a device while it is mounted." };
        var exclude = new Option<string[]>("--exclude") { Description = "With --tree: leave out what matches the pattern (*, ?, **). Repeatable.", DefaultValueFactory = _ => [] };
        var stay = new Option<bool>("--one-file-system") { Description = "With --tree: keep folders on which another file system is mounted empty." };
        var name = new Option<string>("--name") { Description = "With --stdin: the stream's name.", DefaultValueFactory = _ => "stdin" };
        var command = new VerbCommand("backup", "Back up a disk, a folder, or standard input.") { image, tree, stdin, parent, item, format, changed, allow, exclude, stay, name };
        (Option Kind, Option[] Own)[] kinds = [(image, [format, changed, allow]), (tree, [exclude, stay]), (stdin, [name])];
        command.SetVerb((parsed, context, cancellationToken) => (parsed.GetValue(image), parsed.GetValue(tree), parsed.GetValue(stdin)) switch
        {
            _ when FindStranger(parsed, kinds) is { } stranger => throw new UsageException(stranger),
            ({ } path, null, false) => new ImageBackup(context, new()
            {
                Path = Path.GetFullPath(path),
                Format = parsed.GetValue(format),
                ChangedFile = parsed.GetValue(changed),
                Parent = parsed.GetValue(parent),
                Item = parsed.GetValue(item),
                AllowChanging = parsed.GetValue(allow),
            }).RunAsync(cancellationToken),
            (null, { } path, false) => new FolderBackup(
                context,
                Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)),
                new() { Excludes = parsed.GetValue(exclude) ?? [], StaysOnFileSystem = parsed.GetValue(stay) },
                parsed.GetValue(item),
                parsed.GetValue(parent)).RunAsync(cancellationToken),
            (null, null, true) => new StandardInputBackup(context, parsed.GetValue(name)!, parsed.GetValue(item), parsed.GetValue(parent)).RunAsync(cancellationToken),
            _ => throw new UsageException("Say what to back up: one of --image, --tree and --stdin."),
        });
        return command;
    }

    /// <summary>What is said of another kind than is backed up would be passed over in silence.</summary>
    private static string? FindStranger(ParseResult parsed, (Option Kind, Option[] Own)[] kinds)
    {
        foreach (var (kind, own) in kinds.Where(one => parsed.GetResult(one.Kind) is null or { Implicit: true }))
        {
            if (own.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } stranger)
                return $"{stranger.Name} goes with {kind.Name} only.";
        }

        return null;
    }
}
