namespace Strongroom.Blocks;

/// <summary>A disk image under construction: a new file, filled in any order, that counts only when it is finished.</summary>
/// <remarks>What is never written reads as zeros and takes no space. Writes may run concurrently; finish may not run with them.</remarks>
public interface IDiskWriter : IAsyncDisposable
{
    /// <summary>Writes a part of the disk at its place. Parts written twice hold what was written last.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Completes the image and returns when its content and its name are on stable storage.</summary>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    Task FinishAsync(CancellationToken cancellationToken);
}
