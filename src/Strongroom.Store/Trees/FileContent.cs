using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>What was read of a file.</summary>
internal readonly record struct ReadContent(byte[]? Inline, StreamRef? Stream, FileStat Stat, bool HasChanged);

/// <summary>Stores the contents of files: very small ones go into their entry, all else becomes a stream. Thread-safe.</summary>
/// <param name="clone">Makes a copy of a file that cannot change, or null; by itself <see cref="FileClone.TryMake"/>.</param>
internal sealed class FileContent(ChunkPump pump, ulong[] gear, byte[] nodeKey, Func<SafeFileHandle, SafeFileHandle?>? clone = null)
{
    private const int Attempts = 3;
    private readonly Func<SafeFileHandle, SafeFileHandle?> tryClone = clone ?? FileClone.TryMake;

    /// <summary>Reads a file, and again when it changed meanwhile: a clone of it, which cannot change, or where there can be none itself, up to three times in all.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public async Task<ReadContent> ReadAsync(SafeFileHandle file, ParentNodes? known, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = FileStat.Of(file);
            var (inline, stream) = await ReadAsync(file, before, known, cancellationToken);
            var after = FileStat.Of(file);
            var isSame = before.HasSameContentAs(after) && (inline?.Length ?? stream!.Value.LengthBytes) == before.LengthBytes;
            if (isSame || attempt == Attempts)
                return new(inline, stream, after, !isSame);
            if (attempt == 1 && await TryReadCloneAsync(file, known, cancellationToken) is { } read)
                return read;
        }
    }

    /// <summary>The file at one moment; null where it cannot be cloned. Its times are from before that moment: what is written later has others.</summary>
    private async Task<ReadContent?> TryReadCloneAsync(SafeFileHandle file, ParentNodes? known, CancellationToken cancellationToken)
    {
        var before = FileStat.Of(file);
        using var copy = tryClone(file);
        if (copy is null)
            return null;
        var copied = FileStat.Of(copy);
        var (inline, stream) = await ReadAsync(copy, copied, known, cancellationToken);
        return new(inline, stream, before with { LengthBytes = copied.LengthBytes, AllocatedBytes = copied.AllocatedBytes }, false);
    }

    private async Task<(byte[]? Inline, StreamRef? Stream)> ReadAsync(SafeFileHandle file, FileStat stat, ParentNodes? known, CancellationToken cancellationToken) =>
        stat.LengthBytes <= TreePage.GreatestInlineLengthBytes ? (ReadInline(file, (int)stat.LengthBytes), null) : (null, await ReadStreamAsync(file, stat, known, cancellationToken));

    /// <summary>True when it takes less room than its length.</summary>
    public static bool IsSparse(FileStat stat) => stat.AllocatedBytes < stat.LengthBytes;

    private byte[] ReadInline(SafeFileHandle file, int lengthBytes)
    {
        var content = new byte[lengthBytes];
        var filled = 0;
        while (filled < lengthBytes && RandomAccess.Read(file, content.AsSpan(filled), filled) is var count and > 0)
            filled += count;
        pump.Chunks.Counters.AddRead(filled);
        return filled == lengthBytes ? content : content[..filled];
    }

    private async Task<StreamRef> ReadStreamAsync(
        SafeFileHandle file, FileStat stat, ParentNodes? known, CancellationToken cancellationToken)
    {
        await using var backup = new StreamBackup(pump, gear, new(pump.Chunks, nodeKey, known), stat.LengthBytes);
        var position = 0L;
        foreach (var (start, end) in HolesOf(file, stat))
        {
            if (await ReadRangeAsync(file, backup, position, start, cancellationToken) is var reached && reached < start)
                return await backup.FinishAsync(cancellationToken);
            await backup.AddHoleAsync(end - start, cancellationToken);
            position = end;
        }

        await ReadRangeAsync(file, backup, position, stat.LengthBytes, cancellationToken);
        return await backup.FinishAsync(cancellationToken);
    }

    /// <summary>Where reading ended: before <paramref name="end"/> when the file became shorter.</summary>
    private static async ValueTask<long> ReadRangeAsync(SafeFileHandle file, StreamBackup backup, long start, long end, CancellationToken cancellationToken)
    {
        while (start < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Read(file, backup, start, end);
            if (count == 0)
                break;
            await backup.AdvanceAsync(count, cancellationToken);
            start += count;
        }

        return start;
    }

    private static int Read(SafeFileHandle file, StreamBackup backup, long start, long end)
    {
        var room = backup.Room.Span;
        return RandomAccess.Read(file, room[..(int)Math.Min(room.Length, end - start)], start);
    }

    /// <summary>The holes that are worth a chunk's end. Shorter ones are read as zeros.</summary>
    private static IEnumerable<(long Start, long End)> HolesOf(SafeFileHandle file, FileStat stat)
    {
        if (!IsSparse(stat))
            yield break;
        for (var position = 0L; position < stat.LengthBytes;)
        {
            var hole = LinuxCalls.Seek(file, position, LinuxCalls.SeekHole);
            if (hole < 0 || hole >= stat.LengthBytes)
                yield break;

            // Fails when nothing but a hole follows.
            var data = LinuxCalls.Seek(file, hole, LinuxCalls.SeekData);
            var end = data < 0 ? stat.LengthBytes : Math.Min(data, stat.LengthBytes);
            if (end - hole >= GearChunker.LeastLengthBytes)
                yield return (hole, end);
            position = Math.Max(end, hole + 1);
        }
    }
}
