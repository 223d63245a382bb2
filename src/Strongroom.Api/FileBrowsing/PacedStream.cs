namespace Strongroom.Api.FileBrowsing;

/// <summary>An answer's body whose receiver must take at least <see cref="BytesPerSecond"/>, since a download holds what others wait for. The body stays its owner's.</summary>
/// <remarks>Only the time counts in which the receiver is waited for. Of HTTP/2, too, for which the framework has no rate of a single answer.</remarks>
/// <param name="body">What is written to.</param>
/// <param name="time">Measures the waiting.</param>
/// <param name="cut">Ends the answer, so that a write that waits fails.</param>
internal sealed class PacedStream(Stream body, TimeProvider time, Action cut) : Stream
{
    public const int BytesPerSecond = 64 << 10;

    /// <summary>How long a receiver may rest.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    private TimeSpan _credit = Grace;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        TimeSpan limit = _credit + TimeSpan.FromSeconds((double)buffer.Length / BytesPerSecond);
        long began = time.GetTimestamp();
        await using (time.CreateTimer(_ => cut(), null, limit, Timeout.InfiniteTimeSpan))
        {
            await body.WriteAsync(buffer, cancellationToken);
        }

        // What was sent fast is no leave to rest longer later.
        TimeSpan left = limit - time.GetElapsedTime(began);
        _credit = left < TimeSpan.Zero ? TimeSpan.Zero : left > Grace ? Grace : left;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is written asynchronously only.");

    public override Task FlushAsync(CancellationToken cancellationToken) => body.FlushAsync(cancellationToken);

    public override void Flush() => throw new NotSupportedException("It is written asynchronously only.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
