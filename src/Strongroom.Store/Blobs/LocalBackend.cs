using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Strongroom.Store.Blobs;

namespace Strongroom.Store;

/// <summary>Blobs as files below one folder of a local POSIX file system (<c>docs/store-format.md</c> section 1).</summary>
/// <remarks>Thread-safe. The folder is made when first written. Disposing drops cached file handles (those in use are closed when their reads end); the backend stays usable.</remarks>
public sealed class LocalBackend : IBlobBackend, IRetainingBackend, ISharedPlace, IDisposable
{
    private const int OpenHandles = 128;
    private const int LongestDirectReadBytes = 512 << 10;

    /// <summary>No writer lets its file lie that long; where the file system has no locks, only this tells the dead from the living.</summary>
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(24);
    /// <summary>Who may only read the blobs need not see what is being written.</summary>
    private static readonly EnumerationOptions Visible = new() { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.None };

    private readonly string root;
    private readonly RecentlyUsed<string, LocalFile> files = new(OpenHandles, file => file.Dispose());

    private readonly LocalRetention retention;
    private readonly TimeProvider time;

    /// <param name="folder">The folder; it need not be there yet.</param>
    /// <param name="time">The clock that ends retention; null for the machine's.</param>
    public LocalBackend(string folder, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        Folders = new(root);
        this.time = time ?? TimeProvider.System;
        retention = new(this.time);
    }

    internal string TemporaryFolder => Path.Combine(root, "tmp");

    internal LocalFolders Folders { get; }

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
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            while (true)
            {
                try
                {
                    // A short read costs less than handing it to another thread, which would wait in the same way: files have no reads that nobody waits for.
                    return buffer.Length <= LongestDirectReadBytes
                        ? FileReading.ReadUntilFull(OpenForReading(name), offsetBytes, buffer.Span)
                        : await FileReading.ReadUntilFullAsync(OpenForReading(name), offsetBytes, buffer, cancellationToken);
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
        return Guard<ValueTask<long?>>(name, () => new(FindLengthBytes(name)));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        BlobName.RequirePrefix(prefix);
        await Task.CompletedTask;
        if (prefix.Length > 0 && !Guard(prefix, () => BlobFiles.HasFolders(root, prefix)))
            yield break;
        foreach (var blob in LocalListing.Enumerate(FolderOf(prefix), prefix, TemporaryFolder))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return blob;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListNamesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var path in Guard(root, () => Directory.Exists(root) ? Directory.GetFileSystemEntries(root) : []))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return Path.GetFileName(path);
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        files.Remove(name);
        return Guard<ValueTask<bool>>(name, () =>
        {
            var path = PathOf(name);
            if (!BlobFiles.HasFolders(root, name))
                return new(false);
            try
            {
                return new(PosixCalls.TryUnlink(path));
            }
            catch (IOException failure) when (failure.HResult == PosixCalls.Eperm)
            {
                using (var file = BlobFiles.Open(root, name))
                {
                    if (!retention.TryEnd(file, name))
                        throw;
                }

                return new(PosixCalls.TryUnlink(path));
            }
            catch (IOException failure) when (failure.HResult == PosixCalls.Eisdir)
            {
                return new(false);
            }
        });
    }

    /// <inheritdoc/>
    /// <remarks>By the file system's immutable flag, where it has one and this process may set it (CAP_LINUX_IMMUTABLE); so may everybody else who has that right.</remarks>
    public ValueTask<RetentionSupport> GetSupportAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Guard<ValueTask<RetentionSupport>>("tmp", () =>
        {
            Folders.Ensure(TemporaryFolder);
            return new(retention.Probe(TemporaryFolder));
        });
    }

    /// <inheritdoc/>
    public async ValueTask RetainUntilAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        if (await GetSupportAsync(cancellationToken) is { IsAvailable: false } support)
            throw NoRetention.NotAvailable(support.Detail);
        Guard(name, () =>
        {
            using var file = BlobFiles.Open(root, Require(name));
            retention.Retain(file, until);
            return true;
        });
    }

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> GetRetainedUntilAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Guard<ValueTask<DateTimeOffset?>>(name, () =>
        {
            if (FindLengthBytes(name) is null)
                return new((DateTimeOffset?)null);
            using var file = BlobFiles.Open(root, name);
            return new(LocalRetention.Find(file));
        });
    }

    /// <inheritdoc/>
    public ValueTask SyncAsync(string prefix, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        BlobName.RequirePrefix(prefix);
        return Guard<ValueTask>(prefix, () =>
        {
            Folders.SyncWith(FolderOf(prefix));
            return default;
        });
    }

    /// <inheritdoc/>
    public ValueTask RemoveLeftoversAsync(CancellationToken cancellationToken)
    {
        // What lies in a folder of somebody else is not ours to remove, whatever links to it.
        if (FileIdentities.Look(TemporaryFolder)?.Type != FileType.Folder)
            return default;
        foreach (var path in Directory.EnumerateFiles(TemporaryFolder, "*", Visible))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                // Network file systems may keep no lock of a file that is open for writing, and between making a file and locking it is a moment.
                if (time.GetUtcNow() - File.GetLastWriteTimeUtc(path) < LeftoverAge)
                    continue;

                // A living writer holds a shared advisory lock, which the kernel drops with the process; FileShare.None asks for the exclusive one.
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
    public void Dispose() => files.Clear();

    internal string PathOf(string name)
    {
        BlobName.Require(name);
        return name.StartsWith("tmp/", StringComparison.Ordinal)
            ? throw new ArgumentException($"'{name}' is where blobs are made, not one.", nameof(name))
            : Path.Combine(root, name);
    }

    private static string Require(string name)
    {
        BlobName.Require(name);
        return name;
    }

    private long? FindLengthBytes(string name)
    {
        _ = PathOf(name);
        return BlobFiles.FindLengthBytes(root, name);
    }

    /// <summary>Gives a file the name of a blob; false when it is taken. A folder of that name is none of the vault's, and what is in it may be somebody's: it goes out of the way and not away.</summary>
    internal bool TryLink(string existingPath, string path)
    {
        if (PosixCalls.TryLink(existingPath, path))
            return true;
        if (FileIdentities.Look(path)?.Type != FileType.Folder)
            return false;
        PosixCalls.TryMoveFolder(path, Path.Combine(TemporaryFolder, $"set-aside-{Guid.NewGuid():N}"));
        return PosixCalls.TryLink(existingPath, path);
    }

    private string FolderOf(string prefix) => Path.Combine(root, prefix.TrimEnd('/'));

    private SafeFileHandle OpenForReading(string name)
    {
        var path = PathOf(name);
        if (files.TryGet(name, out var file))
        {
            if (file.IsAt(path))
                return file.Handle;

            // Another process healed or deleted it: what was open is the old file.
            files.Remove(name);
        }

        // Closed when dropped from the cache (the kernel gives back the room of a deleted file only then); reads under way hold it open themselves.
        file = new(root, name);
        if (!files.TryAdd(name, file) && files.TryGet(name, out var first))
        {
            file.Dispose();
            return first.Handle;
        }

        return file.Handle;
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
