namespace Strongroom.Cli.Store;

/// <summary>Standard input or a pipe, read so that Ctrl-C ends a wait for a program that writes nothing.</summary>
/// <remarks>A read of the system cannot be called back; it is left behind with a buffer of its own, which nobody else uses.</remarks>
internal sealed class InterruptibleInput(Stream input) : Stream
{
    private const int BufferLengthBytes = 1 << 20;
    private readonly byte[] buffer = new byte[BufferLengthBytes];

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken = default)
    {
        var wanted = Math.Min(target.Length, buffer.Length);
        var count = await Task.Run(() => input.Read(buffer, 0, wanted), CancellationToken.None).WaitAsync(cancellationToken);
        buffer.AsMemory(0, count).CopyTo(target);
        return count;
    }

    public override Task<int> ReadAsync(byte[] target, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(target.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] target, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // There is nothing to write.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] source, int offset, int count) => throw new NotSupportedException();
}
