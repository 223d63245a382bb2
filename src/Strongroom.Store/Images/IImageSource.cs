namespace Strongroom.Store;

/// <summary>What is known of a run of an image before it is read.</summary>
public enum ExtentKind
{
    /// <summary>Must be read.</summary>
    Data,

    /// <summary>Reads as zeros; is not read.</summary>
    Zero,

    /// <summary>Byte for byte what the parent image holds there. Only with a parent. Is read only where the parent's bytes are known to be damaged or lost.</summary>
    Unchanged,
}

/// <summary>A run of an image, in bytes; it need not be aligned to anything.</summary>
public readonly record struct ImageExtent(long OffsetBytes, long LengthBytes, ExtentKind Kind);

/// <summary>A disk at one moment, to be stored.</summary>
/// <remarks>Reads are called concurrently. Exceptions of the source pass through the store unchanged and fail the session.</remarks>
public interface IImageSource
{
    /// <summary>The size in bytes; does not change while the image is written.</summary>
    long LengthBytes { get; }

    /// <summary>
    /// Names these bytes, or null. Two sources with the same token, length and parent hold the same bytes, for ever: then a backup of the one
    /// goes on where one of the other died. 1 to 1,024 characters; a snapshot's id, say, or a file's inode, size and times. Only its HMAC is stored.
    /// </summary>
    string? ResumeToken => null;

    /// <summary>Adjacent extents from 0 to <see cref="LengthBytes"/>, in order, without gap or overlap.</summary>
    IAsyncEnumerable<ImageExtent> MapAsync(CancellationToken cancellationToken);

    /// <summary>Fills <paramref name="buffer"/> from <paramref name="offsetBytes"/>.</summary>
    ValueTask ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>Where an image is restored to. What is not written is zeros.</summary>
public interface IImageSink
{
    /// <summary>Takes verified bytes. Called out of order, one call at a time, on changing threads; never for 64 KiB of zeros.</summary>
    ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);
}
