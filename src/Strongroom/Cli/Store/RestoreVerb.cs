using System.CommandLine;
using System.Text.Json.Nodes;
using Strongroom.Blocks.Raw;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store restore</c>: a disk or a stream to a file or a block device, a tree to a folder. A file has its name only once it is whole.</summary>
internal static class RestoreVerb
{
    private const int ShownProblems = 20;

    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var disk = ChoiceOptions.Disk();
        var path = ChoiceOptions.Path();
        var to = new Option<string>("--to") { Description = "The file to make (a disk: raw, sparse), a block device to write over, or a tree's folder.", Required = true };
        var overwrite = new Option<bool>("--overwrite") { Description = "Replace files that are there, or what a block device holds." };
        var onConflict = ConflictOption.Create();
        var command = new VerbCommand("restore", "Restore a disk or a stream to a file or a block device, or a tree to a folder.") { snapshot, item, disk, path, to, overwrite, onConflict };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            SnapshotChoice.RequireFits(source, parsed.GetValue(disk), parsed.GetValue(path));
            var existing = ConflictOption.Read(parsed.GetValue(onConflict), parsed.GetValue(overwrite));
            if (parsed.GetValue(onConflict) is not null && source.Trees.Count != 1)
                throw new UsageException($"{ConflictOption.Name} is for folders, and snapshot {source.Id} holds {SnapshotJson.KindText(source)}.");
            var target = new Target(context, vault, source, Path.GetFullPath(parsed.GetRequiredValue(to)), existing);
            if (LocationArgument.Contains(context.Location, target.Path))
                throw new UsageException($"'{target.Path}' is the vault itself, or lies in it. Name another place.");
            if (source.Trees.Count == 1)
                return await RestoreTreeAsync(target, source.Trees[0], TreePath.Of(parsed.GetValue(path) ?? ""), cancellationToken);
            return source.Streams.Count == 1
                ? await RestoreStreamAsync(target, source.Streams[0], cancellationToken)
                : await RestoreImageAsync(target, SnapshotChoice.FindImage(source, parsed.GetValue(disk)), cancellationToken);
        });
        return command;
    }

    private static Task<VerbResult> RestoreImageAsync(Target target, SnapshotImage image, CancellationToken cancellationToken) => ToFileAsync(
        target,
        image.Name,
        image.Image.LengthBytes,
        async (file, bytesDone) => (await target.Vault.RestoreAsync(image.Image, file, bytesDone, cancellationToken)).BytesRead,
        cancellationToken);

    private static Task<VerbResult> RestoreStreamAsync(Target target, SnapshotStream stream, CancellationToken cancellationToken) => ToFileAsync(
        target,
        stream.Name,
        stream.Stream.LengthBytes,
        async (file, bytesDone) =>
        {
            await using var output = new SequentialSink(file);
            await target.Vault.RestoreStreamAsync(stream.Stream, output, bytesDone, cancellationToken);
            return null;
        },
        cancellationToken);

    /// <param name="restore">Returns the bytes read from packs, where they are known.</param>
    private static async Task<VerbResult> ToFileAsync(
        Target target, string name, long lengthBytes, Func<IRestoreTarget, IProgress<long>, Task<long?>> restore, CancellationToken cancellationToken)
    {
        var time = target.Context.Time;
        var started = time.GetTimestamp();
        using var file = BlockDevice.IsAt(target.Path)
            ? (IRestoreTarget)RestoredDevice.Open(target.Path, lengthBytes, target.Overwrites)
            : RestoredFile.Create(target.Path, lengthBytes, target.Overwrites);
        var bytesRead = await target.Context.Console.TrackAsync(
            $"Restoring {Path.GetFileName(target.Path)}",
            async meter =>
            {
                var read = await restore(file, meter.As<long>(bytes => (bytes, lengthBytes)));
                file.Finish(meter.As<long>(bytes => (bytes, lengthBytes)), cancellationToken);
                return read;
            });
        var elapsed = time.GetElapsedTime(started);
        var json = target.Json();
        json["disk"] = name;
        json["file"] = target.Path;
        json["bytesTotal"] = lengthBytes;
        json["bytesRead"] = bytesRead;
        json["bytesWritten"] = file.BytesWritten;
        json["seconds"] = Math.Round(elapsed.TotalSeconds, 3);
        return new(json, [$"Restored {target.Path}: {Sizes.Text(lengthBytes)}, {Sizes.Text(file.BytesWritten)} of it data, in {Sizes.Seconds(elapsed)}; every chunk was verified."]);
    }

    private static async Task<VerbResult> RestoreTreeAsync(Target target, SnapshotTree tree, TreePath path, CancellationToken cancellationToken)
    {
        var time = target.Context.Time;
        var started = time.GetTimestamp();
        var options = new TreeRestoreOptions { Existing = target.Existing };
        TreeRestoreResult result;
        try
        {
            result = await target.Context.Console.TrackAsync(
                $"Restoring {target.Path}",
                meter => target.Vault.RestoreTreePathAsync(tree.Tree, path, target.Path, options, meter.As<TreeProgress>(p => (p.Bytes, 0)), cancellationToken));
        }
        catch (StoreException refusal) when (refusal.Kind == StoreErrorKind.InvalidRequest && target.Existing == ExistingFiles.Refuse && Directory.Exists(target.Path))
        {
            throw new UsageException($"{refusal.Message} --overwrite asks for that, and {ConflictOption.Name} for other rules.");
        }

        var elapsed = time.GetElapsedTime(started);
        var json = target.Json();
        json["folder"] = target.Path;
        json["folders"] = result.Folders;
        json["files"] = result.Files;
        json["filesSkipped"] = result.FilesSkipped;
        json["bytesTotal"] = result.Bytes;
        json["problemCount"] = result.ProblemCount;
        json["problems"] = TreeProblems.Json(result.Problems);
        json["seconds"] = Math.Round(elapsed.TotalSeconds, 3);

        // What is not there as it was is a failure of the restore, whatever else is.
        return new(
            json,
            [
                $"Restored {target.Path}: {Sizes.Count(result.Files, "file")} in {Sizes.Count(result.Folders, "folder")}, {Sizes.Text(result.Bytes)}, in {Sizes.Seconds(elapsed)}.{(result.FilesSkipped > 0 ? $" {Sizes.Count(result.FilesSkipped, "file")} that were there stayed as they were." : "")}",
                .. TreeProblems.Lines(result.Problems, result.ProblemCount, ShownProblems),
            ],
            result.ProblemCount == 0 ? ExitCodes.Done : ExitCodes.Failed);
    }

    private sealed record Target(VerbContext Context, VaultStore Vault, Snapshot Snapshot, string Path, ExistingFiles Existing)
    {
        public bool Overwrites => Existing == ExistingFiles.Overwrite;

        public JsonObject Json() => new() { ["snapshot"] = Snapshot.Id.Value, ["item"] = Snapshot.ItemId };
    }
}
