namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>A file of a recovery point as a stream that can be read and sought. The tree stays the caller's.</summary>
public sealed class FileContentStream(IFileTree tree, FilePath path, long lengthBytes) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => lengthBytes;

    public override long Position { get => _position; set => Seek(value, SeekOrigin.Begin); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = (int)Math.Min(buffer.Length, Math.Max(0, lengthBytes - _position));
        if (wanted == 0) return 0;
        var read = await tree.ReadAsync(path, _position, buffer[..wanted], cancellationToken);
        if (read == 0) throw new FileBrowsingException(FileBrowsingFault.Damaged, $"'{path.Text}' ends before its length.");
        _position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read asynchronously only.");

    public override long Seek(long offset, SeekOrigin origin)
    {
        var position = offset + origin switch { SeekOrigin.Begin => 0, SeekOrigin.Current => _position, _ => lengthBytes };
        ArgumentOutOfRangeException.ThrowIfNegative(position, nameof(offset));
        return _position = position;
    }

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
