using System.Runtime.CompilerServices;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.FileRecovery;

/// <summary>An image of the store as a disk.</summary>
public sealed class ImageBlockSource(ImageReader image) : IBlockSource
{
    public long LengthBytes => image.LengthBytes;

    public async IAsyncEnumerable<BlockExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var extent in image.MapAsync(cancellationToken))
            yield return new(extent.OffsetBytes, extent.LengthBytes, extent.Kind == ExtentKind.Zero ? BlockKind.Zero : BlockKind.Data);
    }

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => image.ReadAsync(offsetBytes, buffer, cancellationToken);

    public ValueTask DisposeAsync() => image.DisposeAsync();
}
