using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>What was read of a source's file.</summary>
/// <param name="WasSettled">Before the reading began: a change within it that shows in no time could not have been one of the same moment as the last one.</param>
internal readonly record struct ReadSource(byte[]? Inline, StreamRef? Stream, SourceState State, bool HasChanged, bool WasSettled);

/// <summary>Stores what files of a source hold: very small ones go into their entry, all else becomes a stream. Thread-safe.</summary>
internal sealed class SourceContent(ChunkPump pump, ulong[] gear, byte[] nodeKey)
{
    private const int Attempts = 3;

    /// <summary>Reads a file, and again when it changed meanwhile, up to three times in all.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<ReadSource> ReadAsync(ISourceFile file, ParentNodes? known, Func<SourceState, bool> isSettled, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = await file.FindStateAsync(cancellationToken);
            var wasSettled = isSettled(before);
            var (inline, stream) = before.LengthBytes <= TreePage.GreatestInlineLengthBytes
                ? (await ReadInlineAsync(file, (int)before.LengthBytes, cancellationToken), (StreamRef?)null)
                : (null, await ReadStreamAsync(file, before.LengthBytes, known, cancellationToken));
            var after = await file.FindStateAsync(cancellationToken);
            var isSame = before == after && (inline?.Length ?? stream!.Value.LengthBytes) == before.LengthBytes;
            if (isSame || attempt == Attempts)
                return new(inline, stream, after, !isSame, wasSettled);
        }
    }

    private async ValueTask<byte[]> ReadInlineAsync(ISourceFile file, int lengthBytes, CancellationToken cancellationToken)
    {
        var content = new byte[lengthBytes];
        var filled = 0;
        while (filled < lengthBytes && await file.ReadAsync(filled, content.AsMemory(filled), cancellationToken) is var count and > 0)
            filled += count;
        pump.Chunks.Counters.AddRead(filled);
        return filled == lengthBytes ? content : content[..filled];
    }

    private async ValueTask<StreamRef> ReadStreamAsync(ISourceFile file, long lengthBytes, ParentNodes? known, CancellationToken cancellationToken)
    {
        await using var backup = new StreamBackup(pump, gear, new(pump.Chunks, nodeKey, known), lengthBytes);
        for (var position = 0L; position < lengthBytes;)
        {
            var room = backup.Room;
            var count = await file.ReadAsync(position, room[..(int)Math.Min(room.Length, lengthBytes - position)], cancellationToken);
            if (count == 0)
                break;
            await backup.AdvanceAsync(count, cancellationToken);
            position += count;
        }

        return await backup.FinishAsync(cancellationToken);
    }
}
