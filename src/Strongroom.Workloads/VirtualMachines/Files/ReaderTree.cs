using Strongroom.Backup.FileRecovery.Browsing;

namespace Strongroom.Workloads.VirtualMachines.Files;

/// <summary>The files of a recovery point, read by a process: volumes first, then what is in each.</summary>
internal sealed class ReaderTree(ReaderProcess process, Action release) : IFileTree
{
    private static readonly FileEntry s_root = new() { Name = default, Kind = FileKind.Directory, Mode = 0x1ED };

    private int _isReleased;

    public async Task<FileEntry> FindAsync(FilePath path, CancellationToken cancellationToken)
    {
        if (path.IsRoot) return s_root;
        if (path.Depth == 1) return Volume(path);
        return await AskAsync(path, Request(ReaderRequest.Find, path), answer => ReaderAnswers.Entry(answer, path.Name), cancellationToken);
    }

    public async Task<FilePage> ListAsync(FilePath path, long position, int count, CancellationToken cancellationToken)
    {
        if (path.IsRoot) return PageOfVolumes(position, count);
        var most = Math.Min(count, ReaderFrames.MaxPageCount);
        return await AskAsync(path, Request(ReaderRequest.List, path).Put(position).Put(most), answer => ReaderAnswers.Page(answer, most), cancellationToken);
    }

    public async Task<int> ReadAsync(FilePath path, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (path.Depth < 2) throw new FileBrowsingException(FileBrowsingFault.NotAFile, $"'{path.Text}' is no file.");
        var most = Math.Min(buffer.Length, ReaderFrames.MaxReadBytes);
        return await AskAsync(path, Request(ReaderRequest.Read, path).Put(offsetBytes).Put(most), answer => Copy(answer, buffer, most), cancellationToken);
    }

    /// <summary>The process does not know what the caller calls it.</summary>
    private async Task<T> AskAsync<T>(FilePath path, FrameWriter request, Func<byte[], T> read, CancellationToken cancellationToken)
    {
        try
        {
            return await process.AskAsync(request, read, null, cancellationToken);
        }
        catch (FileBrowsingException failure) when (failure.Fault is FileBrowsingFault.NotFound or FileBrowsingFault.NotAFolder)
        {
            throw new FileBrowsingException(failure.Fault, failure.Fault == FileBrowsingFault.NotFound ? $"There is nothing at '{path.Text}'." : $"'{path.Text}' is no folder.");
        }
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0) release();
        return ValueTask.CompletedTask;
    }

    private static int Copy(byte[] answer, Memory<byte> buffer, int most)
    {
        if (answer.Length > most) throw new InvalidDataException($"{answer.Length} bytes were read where {most} were asked for.");
        answer.CopyTo(buffer);
        return answer.Length;
    }

    private FrameWriter Request(ReaderRequest request, FilePath path) =>
        new FrameWriter((byte)request).Put(System.Text.Encoding.UTF8.GetBytes(process.Device(path[0].Span))).Put(path.ToBytes(1));

    private FileEntry Volume(FilePath path) => process.Volumes.FirstOrDefault(v => v.Name.Span.SequenceEqual(path.Name.Span))
        ?? throw new FileBrowsingException(FileBrowsingFault.NotFound, $"There is no volume '{path.Text}' in this recovery point.");

    private FilePage PageOfVolumes(long position, int count)
    {
        if (position < 0 || position > process.Volumes.Count) throw new FileBrowsingException(FileBrowsingFault.BadPosition, "No page of this folder ended there.");
        var end = Math.Min(process.Volumes.Count, position + count);
        return new([.. process.Volumes.Skip((int)position).Take(count)], end < process.Volumes.Count ? end : null);
    }
}
