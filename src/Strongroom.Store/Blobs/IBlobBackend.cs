namespace Strongroom.Store;

/// <summary>A blob that exists.</summary>
public readonly record struct BlobInfo(string Name, long LengthBytes);

/// <summary>Where a vault's blobs lie: create-only, immutable, named byte strings.</summary>
/// <remarks>
/// What the store relies on, whatever stands behind:
/// a blob that is visible is whole and, once the creating call has returned, durable;
/// creation of a name that exists never changes it and says so, also when two writers race;
/// a read sees every blob whose creation has returned.
/// All members are safe for concurrent use. Failures are <see cref="StoreException"/> of kind Full, Io, NotFound or AccessDenied.
/// Names are those of <see cref="BlobName"/>. <c>Blobs/Conformance</c> checks all of this on any backend.
/// </remarks>
public interface IBlobBackend
{
    /// <summary>How it is best read.</summary>
    ReadPattern Reads => ReadPattern.Disk;

    /// <summary>Begins a blob that is written in pieces and becomes visible with <see cref="IBlobWriter.CommitAsync"/>.</summary>
    ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken);

    /// <summary>Creates a small blob, durable on return. False when the name is taken; the taken name is durable then, too.</summary>
    ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Reads from <paramref name="offsetBytes"/> until the buffer is full or the blob ends; the number of bytes read.</summary>
    /// <exception cref="StoreException">NotFound when there is no such blob.</exception>
    ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>The length in bytes, or null when there is no such blob.</summary>
    ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken);

    /// <summary>All blobs whose names begin with <paramref name="prefix"/> (empty, or ending with <c>/</c>), ordered by name as bytes.</summary>
    IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Removes a blob. False when there was none.</summary>
    ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken);

    /// <summary>Makes every visible name below <paramref name="prefix"/> durable, and every deletion there: a predecessor may have died between showing and syncing it.</summary>
    ValueTask SyncAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Removes what dead writers left half-written. Never touches visible blobs or the work of living writers.</summary>
    ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken);
}

/// <summary>A blob in the making. Not for concurrent use. Disposing without commit leaves nothing behind.</summary>
public interface IBlobWriter : IAsyncDisposable
{
    /// <summary>Bytes appended so far.</summary>
    long LengthBytes { get; }

    /// <summary>Appends bytes; they are not visible yet.</summary>
    ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Reads what was appended, for verification before the commit; the number of bytes read.</summary>
    ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Makes appended bytes durable, so that a read-back and the commit concern the same bytes.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Makes the blob visible and durable. False when the name is taken.</summary>
    /// <remarks>May be repeated, after a failure too: whether the blob became visible is then known or found out.</remarks>
    ValueTask<bool> CommitAsync(CancellationToken cancellationToken);
}
