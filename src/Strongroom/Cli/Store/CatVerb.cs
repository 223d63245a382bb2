using System.CommandLine;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store cat</c>: the bytes of a disk, a stream or a file, in order, on standard output; every byte verified before it is written.</summary>
internal static class CatVerb
{
    private const int PieceLengthBytes = 1 << 20;

    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var disk = ChoiceOptions.Disk();
        var path = ChoiceOptions.Path();
        var offset = new Option<long>("--offset") { Description = "The first byte.", DefaultValueFactory = _ => 0 };
        var length = new Option<long?>("--length") { Description = "How many bytes; otherwise to the end." };
        var command = new RawVerbCommand("cat", "Write a disk, a stream or a file, or a part of it, to standard output.") { snapshot, item, disk, path, offset, length };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            SnapshotChoice.RequireFits(source, parsed.GetValue(disk), parsed.GetValue(path));
            await using var content = await OpenAsync(vault, source, parsed.GetValue(disk), parsed.GetValue(path), cancellationToken);
            var start = parsed.GetValue(offset);
            if (start < 0 || start > content.LengthBytes)
                throw new UsageException($"--offset {start} is not inside the content, which has {Sizes.Count(content.LengthBytes, "byte")}.");
            var count = parsed.GetValue(length) ?? content.LengthBytes - start;
            if (count < 0 || count > content.LengthBytes - start)
                throw new UsageException($"--length {count} does not fit: after offset {start} there is room for {content.LengthBytes - start}.");
            await CopyAsync(content, start, count, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task<Content> OpenAsync(VaultStore vault, Snapshot snapshot, string? disk, string? path, CancellationToken cancellationToken)
    {
        if (snapshot.Trees.Count == 1)
        {
            var file = path is { } name
                ? await vault.OpenTreeFileAsync(snapshot.Trees[0].Tree, TreePath.Of(name), cancellationToken)
                : throw new UsageException($"Snapshot {snapshot.Id} holds a folder. Name a file in it with --path; 'ls' shows them.");
            return OfStream(file);
        }

        if (snapshot.Streams.Count == 1)
            return OfStream(vault.OpenStream(snapshot.Streams[0].Stream));
        var reader = await vault.OpenImageAsync(SnapshotChoice.FindImage(snapshot, disk).Image, cancellationToken);
        return new(reader.LengthBytes, reader.ReadAsync, reader);
    }

    private static Content OfStream(VaultStream stream) => new(
        stream.Length,
        async (offset, buffer, cancellationToken) =>
        {
            stream.Position = offset;
            await stream.ReadExactlyAsync(buffer, cancellationToken);
        },
        stream);

    private static async Task CopyAsync(Content content, long offsetBytes, long lengthBytes, CancellationToken cancellationToken)
    {
        await using var output = Console.OpenStandardOutput();
        var buffer = new byte[PieceLengthBytes];
        for (var end = offsetBytes + lengthBytes; offsetBytes < end;)
        {
            // Pieces end where slots do, so that each chunk is opened once.
            var piece = buffer.AsMemory(0, (int)Math.Min(PieceLengthBytes - (offsetBytes % PieceLengthBytes), end - offsetBytes));
            await content.ReadAsync(offsetBytes, piece, cancellationToken);
            await output.WriteAsync(piece, cancellationToken);
            offsetBytes += piece.Length;
        }
    }

    /// <summary>Bytes that can be read anywhere.</summary>
    private sealed record Content(long LengthBytes, Func<long, Memory<byte>, CancellationToken, ValueTask> ReadAsync, IAsyncDisposable Owner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Owner.DisposeAsync();
    }
}
