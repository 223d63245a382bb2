namespace Strongroom.Store.Simulation.World;

/// <summary>The bytes of a model as a stream, with pieces of any length, and a target that compares what is written with them.</summary>
internal sealed class ModelStream(DiskModel model) : Stream
{
    /// <summary>The first thing that was wrong with what was written, or null.</summary>
    public string? Fault { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => model.LengthBytes;

    public override long Position { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        var count = (int)Math.Min(Math.Min(buffer.Length, 100_000), Length - Position);
        model.Read(Position, buffer.Span[..count]);
        Position += count;
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position + buffer.Length > Length)
        {
            Fault ??= $"bytes after {Length}";
            return default;
        }

        var expected = new byte[buffer.Length];
        model.Read(Position, expected);
        if (!buffer.Span.SequenceEqual(expected))
            Fault ??= $"wrong bytes from {Position} on";
        Position += buffer.Length;
        return default;
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
