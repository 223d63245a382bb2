using System.CommandLine;
using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary><c>strongroom store cat</c>: a disk's bytes, in order, on standard output; every byte verified before it is written.</summary>
internal static class CatVerb
{
    private const int PieceLengthBytes = 1 << 20;

    public static Command Create()
    {
        var snapshot = ChoiceOptions.Snapshot();
        var item = ChoiceOptions.Item();
        var disk = ChoiceOptions.Disk();
        var offset = new Option<long>("--offset") { Description = "The first byte.", DefaultValueFactory = _ => 0 };
        var length = new Option<long?>("--length") { Description = "How many bytes; otherwise to the end." };
        var command = new RawVerbCommand("cat", "Write a disk, or a part of it, to standard output.") { snapshot, item, disk, offset, length };
        command.SetVerb(async (parsed, context, cancellationToken) =>
        {
            var vault = await context.OpenAsync(cancellationToken);
            var source = SnapshotChoice.Find(vault, parsed.GetRequiredValue(snapshot), parsed.GetValue(item));
            var image = SnapshotChoice.FindImage(source, parsed.GetValue(disk)).Image;
            var start = parsed.GetValue(offset);
            if (start < 0 || start > image.LengthBytes)
                throw new UsageException($"--offset {start} is not inside the disk, which has {image.LengthBytes} bytes.");
            var count = parsed.GetValue(length) ?? image.LengthBytes - start;
            if (count < 0 || count > image.LengthBytes - start)
                throw new UsageException($"--length {count} does not fit: {image.LengthBytes - start} bytes follow offset {start}.");
            await using var reader = await vault.OpenImageAsync(image, cancellationToken);
            await CopyAsync(reader, start, count, cancellationToken);
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task CopyAsync(ImageReader reader, long offsetBytes, long lengthBytes, CancellationToken cancellationToken)
    {
        await using var output = Console.OpenStandardOutput();
        var buffer = new byte[PieceLengthBytes];
        for (var end = offsetBytes + lengthBytes; offsetBytes < end;)
        {
            // Pieces end where slots do, so that each chunk is opened once.
            var piece = buffer.AsMemory(0, (int)Math.Min(PieceLengthBytes - (offsetBytes % PieceLengthBytes), end - offsetBytes));
            await reader.ReadAsync(offsetBytes, piece, cancellationToken);
            await output.WriteAsync(piece, cancellationToken);
            offsetBytes += piece.Length;
        }
    }
}
