using Microsoft.Win32.SafeHandles;

namespace Strongroom.Store.Blobs;

/// <summary>A file in <c>tmp/</c> that link(2) puts in its place once it is whole and durable.</summary>
internal sealed class LocalBlobWriter : IBlobWriter
{
    private readonly LocalBackend backend;
    private readonly string name;
    private readonly string temporaryPath;
    private readonly SafeFileHandle handle;
    private bool isFlushed;
    private bool? isCreated;
    private StoreException? lostWrites;

    public LocalBlobWriter(LocalBackend backend, string name)
    {
        this.backend = backend;
        this.name = name;
        _ = backend.PathOf(name);
        backend.Folders.Ensure(backend.TemporaryFolder);
        temporaryPath = Path.Combine(backend.TemporaryFolder, Guid.NewGuid().ToString("N"));

        // A shared advisory lock, held until the file has its name: RemoveLeftoversAsync of another process asks for the exclusive one and
        // sees that the writer lives, and readers of the blob are not shut out.
        handle = File.OpenHandle(temporaryPath, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read);
    }

    public long LengthBytes { get; private set; }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        try
        {
            isFlushed = false;
            await RandomAccess.WriteAsync(handle, data, LengthBytes, cancellationToken);
            LengthBytes += data.Length;
        }
        catch (IOException failure)
        {
            throw LocalFailures.Translate(failure, name);
        }
    }

    public async ValueTask<int> ReadBackAsync(long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await FileReading.ReadUntilFullAsync(handle, offsetBytes, buffer, cancellationToken);
        }
        catch (IOException failure)
        {
            throw LocalFailures.Translate(failure, name);
        }
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (lostWrites is not null)
            throw lostWrites;
        try
        {
            if (!isFlushed)
                RandomAccess.FlushToDisk(handle);
            isFlushed = true;
            return default;
        }
        catch (IOException failure)
        {
            // The kernel reports lost writes once; a second fsync would say that all is well.
            lostWrites = LocalFailures.Translate(failure, name);
            throw lostWrites;
        }
    }

    public async ValueTask<bool> CommitAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        try
        {
            var path = backend.PathOf(name);
            var folder = Path.GetDirectoryName(path)!;
            backend.Folders.Ensure(folder);

            // A commit that is repeated since the folder could not be synced still knows who gave the name.
            isCreated ??= backend.TryLink(temporaryPath, path);

            // Also when the name was taken: the caller is told that the blob is there, so it must be there after a power cut.
            LocalFolders.Sync(folder);
            handle.Dispose();
            return isCreated.Value;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw LocalFailures.Translate(failure, name);
        }
    }

    public ValueTask DisposeAsync()
    {
        handle.Dispose();
        try
        {
            File.Delete(temporaryPath);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A leftover in tmp/ is harmless and removed at the next opening.
        }

        return default;
    }
}
