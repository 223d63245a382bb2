using System.Buffers;

namespace Strongroom.Store.Blobs;

/// <summary>Moves the bytes of blobs from one back end to another.</summary>
internal static class BlobCopy
{
    private const int PieceLengthBytes = 1 << 20;

    /// <summary>A small blob whole, or null when it is not there.</summary>
    /// <param name="greatestLengthBytes">What is longer is cut there: it will not be taken for what it should be.</param>
    public static async Task<byte[]?> ReadAsync(IBlobBackend backend, string name, int greatestLengthBytes, CancellationToken cancellationToken)
    {
        if (await backend.GetLengthAsync(name, cancellationToken) is not { } length)
            return null;
        var content = new byte[Math.Min(length, greatestLengthBytes)];
        try
        {
            return content[..await backend.ReadAsync(name, 0, content, cancellationToken)];
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return null;
        }
    }

    /// <summary>Copies a blob under its name; its length, or null when another writer made it meanwhile.</summary>
    /// <exception cref="StoreException">NotFound: the source has it no more. Corrupt: it is shorter than it says. Io, Full.</exception>
    public static async Task<long?> CopyAsync(IBlobBackend from, IBlobBackend to, string name, CancellationToken cancellationToken)
    {
        var length = await from.GetLengthAsync(name, cancellationToken)
            ?? throw new StoreException(StoreErrorKind.NotFound, $"The blob '{name}' is not there any more.");
        await using var writer = await to.CreateAsync(name, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceLengthBytes);
        try
        {
            for (var at = 0L; at < length;)
            {
                var read = await from.ReadAsync(name, at, buffer.AsMemory(0, (int)Math.Min(PieceLengthBytes, length - at)), cancellationToken);
                if (read == 0)
                    throw StoreException.Corrupt($"The blob '{name}' is shorter than it says");
                await writer.AppendAsync(buffer.AsMemory(0, read), cancellationToken);
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return await writer.CommitAsync(cancellationToken) ? length : null;
    }
}
