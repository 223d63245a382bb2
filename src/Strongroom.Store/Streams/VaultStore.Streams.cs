using System.Buffers;
using Strongroom.Store.Streams;

namespace Strongroom.Store;

public sealed partial class VaultStore
{
    private const int ZeroLengthBytes = 64 << 10;

    /// <summary>Opens a stream of a live snapshot to be read anywhere.</summary>
    /// <exception cref="StoreException">NotFound: no live snapshot holds it.</exception>
    public VaultStream OpenStream(StreamRef stream)
    {
        RequireLive(stream);
        return new(Manifests, stream, null);
    }

    /// <summary>Writes a whole stream to <paramref name="target"/>, in order, chunks read and opened in parallel, every byte verified.</summary>
    /// <param name="stream">What to restore.</param>
    /// <param name="target">Not disposed. Holes are written as zeros.</param>
    /// <param name="bytesDone">Bytes of the stream written so far.</param>
    /// <param name="cancellationToken">Leaves the target with the beginning of the stream.</param>
    public async Task RestoreStreamAsync(StreamRef stream, Stream target, IProgress<long>? bytesDone, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        RequireLive(stream);
        var done = 0L;
        await StreamRestore.RunAsync(
            Manifests,
            stream,
            Options.Workers,
            async (offset, data, stop) =>
            {
                await WriteZerosAsync(target, offset - done, stop);
                await target.WriteAsync(data, stop);
                done = offset + data.Length;
                bytesDone?.Report(done);
            },
            cancellationToken);
        await WriteZerosAsync(target, stream.LengthBytes - done, cancellationToken);
        bytesDone?.Report(stream.LengthBytes);
    }

    private static async ValueTask WriteZerosAsync(Stream target, long count, CancellationToken cancellationToken)
    {
        if (count == 0)
            return;
        var zeros = ArrayPool<byte>.Shared.Rent(ZeroLengthBytes);
        try
        {
            Array.Clear(zeros);
            for (; count > 0; count -= ZeroLengthBytes)
                await target.WriteAsync(zeros.AsMemory(0, (int)Math.Min(count, ZeroLengthBytes)), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(zeros);
        }
    }

    private void RequireLive(StreamRef stream)
    {
        if (!Log.State.Snapshots.Holds(stream))
            throw new StoreException(StoreErrorKind.NotFound, "No live snapshot holds this stream. List the recovery points again.");
    }
}
