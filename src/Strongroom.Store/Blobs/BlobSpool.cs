using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>The bytes of a blob in the making, for back ends that cannot read them back before the commit or may have to send them again.</summary>
/// <remarks>
/// A file in the folder for temporary files (TMPDIR) that has no name any more: it goes with the process, whatever ends that. What is in it
/// is what the vault will hold, encrypted already. One writer; reads may be concurrent with each other and with the writer.
/// </remarks>
public sealed class BlobSpool : IDisposable
{
    private readonly SafeFileHandle handle;
    private long lengthBytes;

    /// <exception cref="StoreException">Io: the folder for temporary files cannot be written.</exception>
    public BlobSpool()
    {
        var path = Path.Combine(Path.GetTempPath(), $"strongroom-{Guid.NewGuid():N}");
        try
        {
            handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            File.Delete(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreErrorKind.Io, $"No temporary file can be made in '{Path.GetTempPath()}': {failure.Message}. Make room there, or name another folder in TMPDIR.", failure);
        }
    }

    internal BlobSpool(SafeFileHandle handle) => this.handle = handle;

    /// <summary>Bytes appended so far.</summary>
    public long LengthBytes => Interlocked.Read(ref lengthBytes);

    /// <summary>Appends bytes.</summary>
    /// <exception cref="StoreException">Full or Io.</exception>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            await RandomAccess.WriteAsync(handle, data, lengthBytes, cancellationToken);
            Interlocked.Add(ref lengthBytes, data.Length);
        }
        catch (IOException failure)
        {
            throw LocalFailures.Translate(failure, Path.GetTempPath());
        }
    }

    /// <summary>Reads from <paramref name="offsetBytes"/> until the buffer is full or the bytes end; the number of bytes read.</summary>
    /// <exception cref="StoreException">Io: the temporary file cannot be read.</exception>
    public async ValueTask<int> ReadAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await FileReading.ReadUntilFullAsync(handle, offsetBytes, buffer, cancellationToken);
        }
        catch (IOException failure)
        {
            throw LocalFailures.Translate(failure, Path.GetTempPath());
        }
    }

    /// <summary>A seekable view of a range, which must have been appended already; reading it needs no memory of its size.</summary>
    public Stream OpenRead(long offsetBytes, long rangeLengthBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offsetBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offsetBytes + rangeLengthBytes, LengthBytes);
        return new BlobSpoolView(handle, offsetBytes, rangeLengthBytes);
    }

    /// <summary>Gives the room back.</summary>
    public void Dispose() => handle.Dispose();
}
