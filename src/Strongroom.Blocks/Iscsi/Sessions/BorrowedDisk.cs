namespace Strongroom.Blocks.Iscsi.Sessions;

/// <summary>A disk that somebody else closes.</summary>
internal sealed class BorrowedDisk(IBlockSource disk) : IBlockSource
{
    public long LengthBytes => disk.LengthBytes;

    public IAsyncEnumerable<BlockExtent> MapAsync(CancellationToken cancellationToken) => disk.MapAsync(cancellationToken);

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => disk.ReadAsync(offsetBytes, buffer, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
