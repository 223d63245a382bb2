using System.Buffers;

namespace Strongroom.Demo;

/// <summary>Copies a disk without filling its holes; runs of zeros become holes.</summary>
internal static class SparseCopy
{
    private const int SectorBytes = 512;
    private const int ZeroTestBytes = 64 * 1024;

    /// <summary>Copies the first <paramref name="lengthBytes"/> bytes of a file into a new one, its length rounded up to whole sectors.</summary>
    /// <param name="from">Opened for reading only.</param>
    /// <param name="to">Must not exist.</param>
    /// <param name="lengthBytes">At most the length of the source.</param>
    /// <param name="progress">Told the bytes done.</param>
    /// <param name="cancellationToken">Stops the copy; what was written stays.</param>
    public static async Task CopyAsync(string from, string to, long lengthBytes, Action<long> progress, CancellationToken cancellationToken)
    {
        using var source = File.OpenHandle(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, FileOptions.Asynchronous);
        using var target = File.OpenHandle(to, FileMode.CreateNew, FileAccess.Write, FileShare.Read, FileOptions.Asynchronous);
        RandomAccess.SetLength(target, (lengthBytes + SectorBytes - 1) / SectorBytes * SectorBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(DiskFingerprint.BufferBytes);
        try
        {
            foreach (var run in SparseFile.DataRuns(source, lengthBytes))
            {
                for (var offset = run.OffsetBytes; offset < run.EndBytes;)
                {
                    var wanted = (int)Math.Min(DiskFingerprint.BufferBytes, run.EndBytes - offset);
                    var got = await RandomAccess.ReadAsync(source, buffer.AsMemory(0, wanted), offset, cancellationToken);
                    if (got == 0)
                        throw new DemoException($"The disk '{from}' became shorter while it was copied.");
                    for (var at = 0; at < got; at += ZeroTestBytes)
                    {
                        var part = buffer.AsMemory(at, Math.Min(ZeroTestBytes, got - at));
                        if (part.Span.ContainsAnyExcept((byte)0))
                            await RandomAccess.WriteAsync(target, part, offset + at, cancellationToken);
                    }

                    offset += got;
                    progress(offset);
                }
            }

            progress(lengthBytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
