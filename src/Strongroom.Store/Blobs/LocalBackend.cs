using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>Blobs as files below one folder of a local POSIX file system (<c>docs/store-format.md</c> section 1).</summary>
/// <remarks>Thread-safe. The folder is made when first written. Disposing drops cached file handles (those in use are closed when their reads end); the backend stays usable.</remarks>
public sealed class LocalBackend : IBlobBackend, IDisposable
{
    private const int OpenHandles = 128;
    private readonly string root;
    private readonly RecentlyUsed<string, SafeFileHandle> handles = new(OpenHandles, handle => handle.Dispose());

    public LocalBackend(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        root = Path.GetFullPath(folder);
    }

    internal string TemporaryFolder => Path.Combine(root, "tmp");

    /// <inheritdoc/>
    public ValueTask<IBlobWriter> CreateAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Guard<ValueTask<IBlobWriter>>(name, () => new(new LocalBlobWriter(this, name)));
    }

    /// <inheritdoc/>
    public async ValueTask<bool> PutIfAbsentAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await using var writer = await CreateAsync(name, cancellationToken);
        await writer.AppendAsync(content, cancellationToken);
        return await writer.CommitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(string name, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                try
                {
                    return await ReadAsync(OpenForReading(name), offsetBytes, buffer, cancellationToken);
                }
                catch (ObjectDisposedException)
                {
                    // The handle was dropped from the cache between being found there and being used: opened anew.
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw LocalFailures.Translate(failure, name);
        }
    }

    /// <inheritdoc/>
    public ValueTask<long?> GetLengthAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Guard<ValueTask<long?>>(name, () =>
        {
            try
            {
                // Not FileInfo.Exists: it takes every failure for absence, and an entry of the log that seems absent counts as lost.
                return new(new FileInfo(PathOf(name)).Length);
            }
            catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
            {
                return new((long?)null);
            }
        });
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        var folder = new DirectoryInfo(PathOf(prefix.TrimEnd('/')));
        if (!folder.Exists)
            yield break;
        var found = Guard(prefix, () => folder
            .EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => new BlobInfo(Path.GetRelativePath(root, file.FullName).Replace('\\', '/'), file.Length))
            .OrderBy(blob => blob.Name, StringComparer.Ordinal)
            .ToList());
        foreach (var blob in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return blob;
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        handles.Remove(name);
        return Guard<ValueTask<bool>>(name, () =>
        {
            var path = PathOf(name);
            if (!File.Exists(path))
                return new(false);
            File.Delete(path);
            return new(true);
        });
    }

    /// <inheritdoc/>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Guard<ValueTask>(prefix, () =>
        {
            var folder = PathOf(prefix.TrimEnd('/'));
            if (!Directory.Exists(folder))
                return default;
            PosixCalls.SyncFolder(folder);
            foreach (var below in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories))
                PosixCalls.SyncFolder(below);
            return default;
        });
    }

    /// <inheritdoc/>
    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(TemporaryFolder))
            return default;
        foreach (var path in Directory.EnumerateFiles(TemporaryFolder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                // A living writer holds its file with FileShare.None, an advisory lock that the kernel drops with the process.
                using (File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                {
                }

                File.Delete(path);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Locked, or gone already: not ours to remove.
            }
        }

        return default;
    }

    /// <summary>Drops cached file handles.</summary>
    public void Dispose() => handles.Clear();

    internal string PathOf(string name)
    {
        if (name.Length == 0 || name[0] == '/' || name.Contains("..", StringComparison.Ordinal) || !name.All(IsNameCharacter))
            throw new ArgumentException($"'{name}' is not a blob name.", nameof(name));
        return Path.Combine(root, name);
    }

    /// <summary>Makes a folder and every parent down from the root, each durable in its parent.</summary>
    internal void EnsureFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        var parent = Path.GetDirectoryName(folder)!;
        EnsureFolder(parent);
        Directory.CreateDirectory(folder);
        PosixCalls.SyncFolder(parent);
    }

    private static bool IsNameCharacter(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '.' or '/';

    private SafeFileHandle OpenForReading(string name)
    {
        if (handles.TryGet(name, out var handle))
            return handle;
        // Closed when dropped from the cache (the kernel gives back the room of a deleted file only then); reads under way hold it open themselves.
        handle = File.OpenHandle(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.RandomAccess);
        if (!handles.TryAdd(name, handle) && handles.TryGet(name, out var first))
        {
            handle.Dispose();
            return first;
        }

        return handle;
    }

    private static async ValueTask<int> ReadAsync(SafeFileHandle handle, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = await RandomAccess.ReadAsync(handle, buffer[total..], offsetBytes + total, cancellationToken);
            if (read == 0)
                break;
            total += read;
        }

        return total;
    }

    private static T Guard<T>(string name, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw LocalFailures.Translate(failure, name);
        }
    }
}
