using System.Runtime.CompilerServices;
using Strongroom.Blocks;
using Strongroom.Store;

namespace Strongroom.Backup.Pipelines;

/// <summary>Lets the store read a block device: the two do not know each other.</summary>
internal sealed class BlockImageSource(IBlockSource blocks, string? resumeToken) : IImageSource
{
    public long LengthBytes => blocks.LengthBytes;

    public string? ResumeToken => resumeToken;

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

    public ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken) => blocks.ReadAsync(offsetBytes, buffer, cancellationToken);
}

/// <summary>Calls back at once, on the caller's thread: <see cref="Progress{T}"/> would post to the pool, out of order.</summary>
internal sealed class DirectProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
