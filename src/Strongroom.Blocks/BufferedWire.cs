using System.Buffers;

namespace Strongroom.Blocks;

/// <summary>The connection as bytes: small things are read through a buffer, payloads straight into their place.</summary>
/// <remarks>One reader and one writer at a time. Disposing wakes both with an error.</remarks>
internal sealed class BufferedWire(Stream stream) : IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[8 * 1024];
    private int _start;
    private int _end;

    /// <summary>Bytes have been received that nobody has read yet.</summary>
    public bool HasUnread => _start < _end;

    /// <summary>The next bytes of the stream (at most the buffer's 8 KiB), which are thereby consumed; valid until the next read.</summary>
    /// <exception cref="EndOfStreamException">The peer closed the connection first.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ReadSmallAsync(int count, CancellationToken cancellationToken)
    {
        if (_end - _start < count)
            return FillAsync(count, cancellationToken);
        _start += count;
        return new ValueTask<ReadOnlyMemory<byte>>(_buffer.AsMemory(_start - count, count));
    }

    /// <summary>Fills the caller's memory: what is buffered is copied, the rest received in place.</summary>
    /// <exception cref="EndOfStreamException">The peer closed the connection first.</exception>
    public ValueTask ReadIntoAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        var buffered = Math.Min(_end - _start, destination.Length);
        _buffer.AsMemory(_start, buffered).CopyTo(destination);
        _start += buffered;
        return buffered == destination.Length ? ValueTask.CompletedTask : stream.ReadExactlyAsync(destination[buffered..], cancellationToken);
    }

    /// <summary>Reads and forgets.</summary>
    public async ValueTask SkipAsync(int count, CancellationToken cancellationToken)
    {
        var scratch = ArrayPool<byte>.Shared.Rent(Math.Min(count, 64 * 1024));
        try
        {
            while (count > 0)
            {
                var part = scratch.AsMemory(0, Math.Min(count, scratch.Length));
                await ReadIntoAsync(part, cancellationToken).ConfigureAwait(false);
                count -= part.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) => stream.WriteAsync(data, cancellationToken);

    public ValueTask DisposeAsync() => stream.DisposeAsync();

    private async ValueTask<ReadOnlyMemory<byte>> FillAsync(int count, CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < count)
        {
            var received = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (received == 0)
                throw new EndOfStreamException("The peer closed the connection.");
            _end += received;
        }

        _start = count;
        return _buffer.AsMemory(0, count);
    }
}
