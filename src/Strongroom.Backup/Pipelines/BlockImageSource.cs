using System.Runtime.CompilerServices;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>Lets the store read a disk: the two do not know each other.</summary>
/// <param name="blocks">The disk; it stays the caller's.</param>
/// <param name="resumeToken"><see cref="IImageSource.ResumeToken"/>, where an interrupted backup may go on.</param>
public sealed class BlockImageSource(IBlockSource blocks, string? resumeToken = null) : IImageSource
{
    /// <inheritdoc/>
    public long LengthBytes => blocks.LengthBytes;

    /// <inheritdoc/>
    public string? ResumeToken => resumeToken;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ImageExtent> MapAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var extent in blocks.MapAsync(cancellationToken))
        {
            yield return new(extent.OffsetBytes, extent.LengthBytes, extent.Kind switch
            {
                BlockKind.Zero => ExtentKind.Zero,
                BlockKind.Unchanged => ExtentKind.Unchanged,
                _ => ExtentKind.Data,
            });
        }
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => blocks.ReadAsync(offsetBytes, buffer, cancellationToken);
}
