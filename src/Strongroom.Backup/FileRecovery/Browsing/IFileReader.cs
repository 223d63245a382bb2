using Strongroom.Blocks;

namespace Strongroom.Backup.FileRecovery.Browsing;

/// <summary>Reads the file systems on disks.</summary>
public interface IFileReader
{
    /// <summary>Opens disks for reading, or joins those who read them already.</summary>
    /// <param name="key">The same for the same disks.</param>
    /// <param name="openDisks">Opens the disks in LUN order. Called when nobody has them open; they are closed some time after the last reader has gone.</param>
    /// <exception cref="FileBrowsingException">Busy, NotInstalled, ReaderFailed or Damaged.</exception>
    Task<IFileTree> OpenAsync(string key, Func<CancellationToken, Task<IReadOnlyList<IBlockDevice>>> openDisks, CancellationToken cancellationToken);
}

/// <summary>The files of a recovery point. Disposing it leaves it to others. Safe for concurrent use; calls take turns.</summary>
/// <remarks>
/// Symbolic links within a path are followed as the machine itself would, with the volume's own top as the root; one at a path's end is not.
/// Every call may throw <see cref="FileBrowsingException"/>.
/// </remarks>
public interface IFileTree : IAsyncDisposable
{
    Task<FileEntry> FindAsync(FilePath path, CancellationToken cancellationToken);

    /// <summary>A part of a folder, in an order that stays the same for the recovery point: by name's bytes, or as the file system has it where there are very many.</summary>
    /// <param name="position">0, or what an earlier page gave.</param>
    /// <param name="count">At most so many entries; at least 1.</param>
    Task<FilePage> ListAsync(FilePath path, long position, int count, CancellationToken cancellationToken);

    /// <summary>Reads from a file.</summary>
    /// <returns>The number of bytes read; 0 at the file's end.</returns>
    Task<int> ReadAsync(FilePath path, long offsetBytes, Memory<byte> buffer, CancellationToken cancellationToken);
}
