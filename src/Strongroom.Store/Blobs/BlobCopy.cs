using System.Buffers;
using System.IO.Hashing;

namespace Strongroom.Store.Blobs;

/// <summary>Moves the bytes of blobs from one back end to another.</summary>
internal static class BlobCopy
{
    private const int PieceLengthBytes = 1 << 20;
    private const int Attempts = 4;

    /// <summary>A small blob whole, or null when it is not there; nothing of what has its name and is no blob.</summary>
    /// <param name="greatestLengthBytes">What is longer is cut there: it will not be taken for what it should be.</param>
    public static async Task<byte[]?> ReadAsync(IBlobBackend backend, string name, int greatestLengthBytes, CancellationToken cancellationToken)
    {
        try
        {
            if (await backend.GetLengthAsync(name, cancellationToken) is not { } length)
                return null;
            var content = new byte[Math.Min(length, greatestLengthBytes)];
            return content[..await backend.ReadAsync(name, 0, content, cancellationToken)];
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.NotFound)
        {
            return null;
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            return [];
        }
    }

    /// <summary>The length of a blob; null when it is not there, or something else has its name.</summary>
    public static async ValueTask<long?> FindLengthBytesAsync(IBlobBackend backend, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await backend.GetLengthAsync(name, cancellationToken);
        }
        catch (StoreException failure) when (failure.Kind == StoreErrorKind.Corrupt)
        {
            return null;
        }
    }

    /// <summary>A small blob whole, as two readings in a row agree on it, or null when it is not there. For what nothing else vouches for.</summary>
    /// <param name="greatestLengthBytes">What is longer is cut there: it will not be taken for what it should be.</param>
    /// <exception cref="StoreException">Io: it reads differently each time.</exception>
    public static async Task<byte[]?> ReadTwiceAsync(IBlobBackend backend, string name, int greatestLengthBytes, CancellationToken cancellationToken)
    {
        var before = await ReadAsync(backend, name, greatestLengthBytes, cancellationToken);
        for (var attempt = 0; attempt < Attempts && before is not null; attempt++)
        {
            var again = await ReadAsync(backend, name, greatestLengthBytes, cancellationToken);
            if (again is null || again.AsSpan().SequenceEqual(before))
                return again;
            before = again;
        }

        return before is null ? null : throw Unsteady(name);
    }

    /// <summary>Copies a blob under its name, as two readings in a row agree on it; its length, or null when another writer made it meanwhile.</summary>
    /// <exception cref="StoreException">NotFound: the source has it no more. Corrupt: it is shorter than it says. Io, Full.</exception>
    public static async Task<long?> CopyAsync(IBlobBackend from, IBlobBackend to, string name, CancellationToken cancellationToken)
    {
        var before = await PassAsync(from, name, null, cancellationToken);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            await using var writer = await to.CreateAsync(name, cancellationToken);
            var again = await PassAsync(from, name, writer, cancellationToken);
            if (again == before)
                return await writer.CommitAsync(cancellationToken) ? again.LengthBytes : null;
            before = again;
        }

        throw Unsteady(name);
    }

    private static StoreException Unsteady(string name) =>
        new(StoreErrorKind.Io, $"The blob '{name}' reads differently each time. Look at the storage and at the way to it, then try again.");

    /// <summary>Reads a blob from its first byte to its last, hands it on, and says what was read.</summary>
    private static async Task<(long LengthBytes, UInt128 Hash)> PassAsync(IBlobBackend from, string name, IBlobWriter? writer, CancellationToken cancellationToken)
    {
        var length = await from.GetLengthAsync(name, cancellationToken)
            ?? throw new StoreException(StoreErrorKind.NotFound, $"The blob '{name}' is not there any more.");
        var hash = new XxHash128();
        var buffer = ArrayPool<byte>.Shared.Rent(PieceLengthBytes);
        try
        {
            for (var at = 0L; at < length;)
            {
                var read = await from.ReadAsync(name, at, buffer.AsMemory(0, (int)Math.Min(PieceLengthBytes, length - at)), cancellationToken);
                if (read == 0)
                    throw StoreException.Corrupt($"The blob '{name}' is shorter than it says");
                hash.Append(buffer.AsSpan(0, read));
                if (writer is not null)
                    await writer.AppendAsync(buffer.AsMemory(0, read), cancellationToken);
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return (length, hash.GetCurrentHashAsUInt128());
    }
}
