using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Manifests;
using Strongroom.Store.Streams;

namespace Strongroom.Store.Trees;

/// <summary>Writes the contents of files; the zeros of files that were sparse become holes. Thread-safe.</summary>
internal static class FileWriter
{
    /// <summary>Of each file: there are several at once.</summary>
    private const int ChunksAhead = 2;
    private const int SparseBlockBytes = 4096;

    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="StoreException">Corrupt: a part of it is lost.</exception>
    public static async ValueTask WriteAsync(ManifestReader tree, SafeFileHandle file, TreeEntry entry, CancellationToken cancellationToken)
    {
        if (entry.Inline is { } inline)
        {
            RandomAccess.Write(file, inline, 0);
        }
        else if (entry.Stream is { LengthBytes: > 0 } stream)
        {
            // Most files are one chunk that is written to its end; anything else may end in a hole.
            var isSparse = entry.Flags.HasFlag(TreeEntryFlags.Sparse);
            if (isSparse || stream.Height > 0 || stream.Root.IsHole)
                RandomAccess.SetLength(file, stream.LengthBytes);
            await StreamRestore.RunAsync(
                tree,
                stream,
                ChunksAhead,
                (offset, data, _) =>
                {
                    Write(file, offset, data.Span, isSparse);
                    return default;
                },
                cancellationToken);
        }
    }

    private static void Write(SafeFileHandle file, long offset, ReadOnlySpan<byte> data, bool isSparse)
    {
        if (!isSparse)
        {
            RandomAccess.Write(file, data, offset);
            return;
        }

        // Runs of blocks that are not zeros; the blocks are those of the file, not of the chunk.
        var start = 0;
        for (var at = 0; at < data.Length;)
        {
            var end = (int)Math.Min(data.Length, at + SparseBlockBytes - ((offset + at) % SparseBlockBytes));
            if (data[at..end].IndexOfAnyExcept((byte)0) < 0)
            {
                if (at > start)
                    RandomAccess.Write(file, data[start..at], offset + start);
                start = end;
            }

            at = end;
        }

        if (start < data.Length)
            RandomAccess.Write(file, data[start..], offset + start);
    }
}
