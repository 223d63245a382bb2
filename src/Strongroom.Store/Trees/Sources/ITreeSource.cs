namespace Strongroom.Store;

/// <summary>Files that are in no folder of this machine: where the entries of a tree come from.</summary>
/// <remarks>
/// Thread-safe; calls may take turns. An <see cref="IOException"/> concerns the one file or folder: it is named, and the backup goes on. Anything else ends the backup.
/// Paths are from the tree's own folder.
/// </remarks>
public interface ITreeSource
{
    /// <summary>The tree's own folder; its name is empty.</summary>
    ValueTask<SourceItem> FindRootAsync(CancellationToken cancellationToken);

    /// <summary>What is in a folder, in any order.</summary>
    /// <exception cref="IOException">It cannot be listed, or not to its end.</exception>
    ValueTask<IReadOnlyList<SourceItem>> ListAsync(TreePath folder, CancellationToken cancellationToken);

    /// <summary>The extended attributes of a file or folder: those that its listing told, and those that take a question of their own. In the order of their names.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    ValueTask<IReadOnlyList<ExtendedAttribute>> ReadAttributesAsync(TreePath path, SourceItem item, CancellationToken cancellationToken);

    /// <summary>False where attributes that an earlier backup kept lack what can be asked for now, as when a part of the server did not answer then.</summary>
    bool IsWhole(IReadOnlyList<ExtendedAttribute> kept);

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    ValueTask<ISourceFile> OpenAsync(TreePath path, CancellationToken cancellationToken);
}

/// <summary>An open file of a source. Not for concurrent use.</summary>
public interface ISourceFile : IAsyncDisposable
{
    /// <summary>What it is now.</summary>
    ValueTask<SourceState> FindStateAsync(CancellationToken cancellationToken);

    /// <summary>Reads so many bytes as there are, up to the buffer's length; 0 only at the end.</summary>
    ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>What changes when a file changes.</summary>
public readonly record struct SourceState(long LengthBytes, FileTime ModifiedAt, FileTime ChangedAt);

/// <summary>A file or folder as its folder's listing tells of it.</summary>
/// <param name="Kind">File or Folder.</param>
/// <param name="Name">As bytes.</param>
/// <param name="State">Its length is 0 for folders.</param>
/// <param name="BornAt">When it was made.</param>
/// <param name="Inode">What tells it from others; 0 where that is not known.</param>
public sealed record SourceItem(TreeEntryKind Kind, ReadOnlyMemory<byte> Name, SourceState State, FileTime BornAt, ulong Inode)
{
    /// <summary>The extended attributes that the listing tells of.</summary>
    public IReadOnlyList<ExtendedAttribute> Attributes { get; init; } = [];

    /// <summary>Why what is in the folder, or in the file, is left out: a sentence; null when it is not.</summary>
    public string? Obstacle { get; init; }

    /// <summary>
    /// True: the change time is one of its own, so that a change of attributes shows in it. Some servers tell the time of the last write, or of the birth, in its place.
    /// </summary>
    internal bool ShowsChanges => State.ChangedAt.Seconds != 0 && State.ChangedAt != State.ModifiedAt && State.ChangedAt != BornAt;
}
