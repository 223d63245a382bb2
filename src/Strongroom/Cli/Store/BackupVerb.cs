using System.CommandLine;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store backup</c>: one verb for everything that can be backed up; the option says what.</summary>
internal static class BackupVerb
{
    public static Command Create()
    {
        var image = new Option<string?>("--image") { Description = "A disk: a raw, qcow2 or fixed VHD file." };
        var format = new Option<ImageFormat>("--format") { Description = "The image's format; Auto goes by the file's name.", DefaultValueFactory = _ => ImageFormat.Auto };
        var changed = new Option<string?>("--changed") { Description = "A file of lines 'offset length', in bytes: all else is as in the parent and is not read." };
        var parent = new Option<string?>("--parent") { Description = "The snapshot to compare with; 'none' reads and stores on its own. Otherwise the newest of the same item." };
        var item = new Option<string?>("--item") { Description = "What the snapshot is of; otherwise the file's absolute path." };
        var allow = new Option<bool>("--allow-changing") { Description = "Commit also when the file changed while it was read." };
        var command = new VerbCommand("backup", "Back up a disk.") { image, format, changed, parent, item, allow };
        command.SetVerb((parsed, context, cancellationToken) =>
        {
            var path = parsed.GetValue(image) ?? throw new UsageException("There is nothing to back up: name a disk with --image.");
            var backup = new ImageBackup(context, new()
            {
                Path = Path.GetFullPath(path),
                Format = parsed.GetValue(format),
                ChangedFile = parsed.GetValue(changed),
                Parent = parsed.GetValue(parent),
                Item = parsed.GetValue(item),
                AllowChanging = parsed.GetValue(allow),
            });
            return backup.RunAsync(cancellationToken);
        });
        return command;
    }
}
