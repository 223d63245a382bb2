using Strongroom.Store.Manifests;
using Strongroom.Store.Packs;
using Strongroom.Store.Streams;

namespace Strongroom.Store;

/// <summary>A stored stream, to be read and sought in; every byte is verified. Not for concurrent use.</summary>
/// <remarks>It goes on while collections move what it reads, as long as a live snapshot has it. Memory: one chunk of at most 4 MiB.</remarks>
public sealed class VaultStream : Stream
{
    private readonly ManifestReader tree;
    private readonly StreamRef stream;
    private readonly byte[]? inline;
    private bool isDisposed;
    private byte[] chunk = [];
    private long chunkOffset;
    private long chunkLength;
    private bool isHole;
    private long position;

    internal VaultStream(ManifestReader tree, StreamRef stream, byte[]? inline)
    {
        this.tree = tree;
        this.stream = stream;
        this.inline = inline;
        if (inline is not null)
            (chunk, chunkLength) = (inline, inline.Length);
    }

    /// <inheritdoc/>
    public override bool CanRead => !isDisposed;

    /// <inheritdoc/>
    public override bool CanSeek => !isDisposed;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => inline?.Length ?? stream.LengthBytes;

    /// <inheritdoc/>
    public override long Position
    {
        get => position;
        set => Seek(value, SeekOrigin.Begin);
    }

    /// <exception cref="StoreException">Corrupt or NotFound: what was read before is good, this is not there.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isDisposed, this);
        if (buffer.Length == 0 || position >= Length)
            return 0;
        if (position < chunkOffset || position >= chunkOffset + chunkLength)
            await LoadAsync(cancellationToken);
        var count = (int)Math.Min(buffer.Length, chunkOffset + chunkLength - position);
        if (isHole)
            buffer.Span[..count].Clear();
        else
            chunk.AsSpan((int)(position - chunkOffset), count).CopyTo(buffer.Span);
        position += count;
        return count;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) =>
        Task.Run(() => ReadAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask()).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin)
    {
        var target = offset + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => position,
            _ => Length,
        };
        ArgumentOutOfRangeException.ThrowIfNegative(target, nameof(offset));
        return position = target;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is ever written.
    }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        isDisposed = true;
        chunk = [];
        base.Dispose(disposing);
    }

    private async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        var (offset, record) = await StreamRecords.FindAsync(tree, stream, position, cancellationToken);
        chunkLength = 0;
        if (!record.Slot.IsHole)
        {
            if (chunk.Length != record.LengthBytes)
                chunk = GC.AllocateUninitializedArray<byte>((int)record.LengthBytes);
            await tree.Packs.ReadChunkAsync(PackContent.Data, record.Slot, chunk, cancellationToken);
        }

        (chunkOffset, chunkLength, isHole) = (offset, record.LengthBytes, record.Slot.IsHole);
    }
}
