using System.CommandLine;
using System.Text.Json.Nodes;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store restore</c>: a disk as a sparse raw file. The file has its name only once it is whole.</summary>
internal static class RestoreVerb
{
    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var disk = ChoiceOptions.Disk();
        var to = new Option<string>("--to") { Description = "The file to make: raw, sparse.", Required = true };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace the file if it is there." };
        var command = new VerbCommand("restore", "Restore a disk to a file.") { snapshot, item, disk, to, overwrite };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var started = context.Time.GetTimestamp();
            var path = Path.GetFullPath(parsed.GetRequiredValue(to));
            RestoredFile.RequireAllowed(path, parsed.GetValue(overwrite));
            var vault = await context.OpenAsync(cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            var image = SnapshotChoice.FindImage(source, parsed.GetValue(disk));
            using var file = RestoredFile.Create(path, image.Image.LengthBytes);
            var done = await context.Console.TrackAsync(
                $"Restoring {Path.GetFileName(path)}",
                meter => vault.RestoreAsync(image.Image, file, meter.As<long>(bytes => (bytes, image.Image.LengthBytes)), cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            file.Finish(parsed.GetValue(overwrite));
            var elapsed = context.Time.GetElapsedTime(started);
            return new(
                new JsonObject
                {
                    ["snapshot"] = source.Id.Value,
                    ["item"] = source.ItemId,
                    ["disk"] = image.Name,
                    ["file"] = path,
                    ["bytesTotal"] = image.Image.LengthBytes,
                    ["bytesRead"] = done.BytesRead,
                    ["bytesWritten"] = file.BytesWritten,
                    ["seconds"] = Math.Round(elapsed.TotalSeconds, 3),
                },
                [$"Restored {path}: {Sizes.Text(image.Image.LengthBytes)}, {Sizes.Text(file.BytesWritten)} of it data, in {Sizes.Seconds(elapsed)}; every chunk was verified."]);
        });
        return command;
    }
}
