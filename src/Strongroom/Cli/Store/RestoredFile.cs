using Microsoft.Win32.SafeHandles;
using Strongroom.Blocks.Raw;

namespace Strongroom.Cli.Store;

/// <summary>A sparse file in the making beside its place, which it takes when it is whole. Disposing before leaves nothing behind.</summary>
/// <remarks>Writes run concurrently.</remarks>
internal sealed class RestoredFile : IRestoreTarget
{
    /// <summary>Zeros are looked for at this grain: the chunks are longer, and what is not written takes no space.</summary>
    private const int GrainLengthBytes = 64 * 1024;

    private readonly string path;
    private readonly string temporaryPath;
    private readonly SafeFileHandle handle;
    private readonly bool overwrite;
    private long written;
    private bool isFinished;

    private RestoredFile(string path, string temporaryPath, SafeFileHandle handle, bool overwrite)
    {
        this.overwrite = overwrite;
        this.path = path;
        this.temporaryPath = temporaryPath;
        this.handle = handle;
    }

    /// <inheritdoc/>
    public long BytesWritten => Volatile.Read(ref written);

    /// <exception cref="UsageException">Something is there that must not be replaced.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static RestoredFile Create(string path, long lengthBytes, bool overwrite)
    {
        RequireAllowed(path, overwrite);
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
            throw new UsageException($"There is no folder '{folder}' to make '{Path.GetFileName(path)}' in. Make it first, or check the path.");
        var temporaryPath = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.part");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        var handle = new FileStream(temporaryPath, options).SafeFileHandle;
        var file = new RestoredFile(path, temporaryPath, handle, overwrite);
        try
        {
            RandomAccess.SetLength(handle, lengthBytes);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ValueTask WriteAsync(long offsetBytes, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var span = data.Span;
        var start = 0;
        while (start < span.Length)
        {
            var end = EndOfRun(span, start, out var isZero);
            if (!isZero)
            {
                RandomAccess.Write(handle, span[start..end], offsetBytes + start);
                Interlocked.Add(ref written, end - start);
            }

            start = end;
        }

        return default;
    }

    /// <summary>Gives the file its name.</summary>
    /// <exception cref="IOException">A file of that name appeared meanwhile.</exception>
    public void Finish(IProgress<long>? bytesDone, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        File.Move(temporaryPath, path, overwrite);
        isFinished = true;
    }

    public void Dispose()
    {
        handle.Dispose();
        if (!isFinished)
            File.Delete(temporaryPath);
    }

    private static void RequireAllowed(string path, bool overwrite)
    {
        if (Directory.Exists(path))
            throw new UsageException($"'{path}' is a folder. Name the file to make.");
        if (!File.Exists(path))
            return;
        if (!overwrite)
            throw new UsageException($"'{path}' is there already. Choose another name, or replace it with --overwrite.");

        // Renaming over a pipe would replace its name and write nothing to it.
        if (!FileIdentity.IsPlainFileAt(path))
            throw new UsageException($"'{path}' is a link, a pipe, a socket or a terminal, and only plain files and block devices are written over.");
    }

    private static int EndOfRun(ReadOnlySpan<byte> span, int start, out bool isZero)
    {
        var end = Math.Min(start + GrainLengthBytes, span.Length);
        isZero = IsZero(span[start..end]);
        while (end < span.Length)
        {
            var next = Math.Min(end + GrainLengthBytes, span.Length);
            if (IsZero(span[end..next]) != isZero)
                break;
            end = next;
        }

        return end;
    }

    private static bool IsZero(ReadOnlySpan<byte> span) => span.IndexOfAnyExcept((byte)0) < 0;
}
