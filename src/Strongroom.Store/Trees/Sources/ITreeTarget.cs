namespace Strongroom.Store;

/// <summary>Where a tree is restored to that is no folder of this machine.</summary>
/// <remarks>
/// Calls come one after another. An <see cref="IOException"/> concerns the one file or folder: it is named, and the restore goes on. Anything else ends the restore.
/// Paths are from the target's own folder; none leads out of it, and all their names were asked about with <see cref="Refuse"/>.
/// </remarks>
public interface ITreeTarget
{
    /// <summary>Why there can be no such thing there, as the end of a sentence; null when there can.</summary>
    string? Refuse(TreeEntryKind kind, ReadOnlySpan<byte> name);

    /// <summary>What has this path now; null for nothing.</summary>
    ValueTask<TargetItem?> FindAsync(TreePath path, CancellationToken cancellationToken);

    /// <summary>Makes a folder; false when the name is taken.</summary>
    ValueTask<bool> TryMakeFolderAsync(TreePath path, CancellationToken cancellationToken);

    /// <summary>Makes a file for writing, under a name that nothing has.</summary>
    ValueTask<ITargetFile> CreateAsync(TreePath path, CancellationToken cancellationToken);

    /// <summary>Gives a file another name in the same folder.</summary>
    /// <param name="replaces">In the place of the file that has it. False: nothing had it a moment ago.</param>
    /// <exception cref="IOException">It has its old name still. What was to be replaced may be gone.</exception>
    ValueTask RenameAsync(TreePath from, TreePath to, bool replaces, CancellationToken cancellationToken);

    /// <summary>Removes a file.</summary>
    ValueTask DeleteAsync(TreePath path, CancellationToken cancellationToken);

    /// <summary>Sets what is kept of a file or folder beside its content, so far as there can be such.</summary>
    /// <returns>What could not be set, as sentences.</returns>
    ValueTask<IReadOnlyList<string>> ApplyAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken);

    /// <summary>Sets again what the new name has changed of a file that <see cref="ApplyAsync"/> was called for.</summary>
    ValueTask SealAsync(TreePath path, TreeEntry entry, CancellationToken cancellationToken);

    /// <summary>Whether a file that is there may be what an entry became: of its length, and of its time as exactly as the target keeps times.</summary>
    bool IsSame(TargetItem item, TreeEntry entry);

    /// <summary>True where an entry has an owner and a mode that there can be none of there; they are counted, and not named one by one.</summary>
    bool LosesOwner(TreeEntry entry);
}

/// <summary>What is there.</summary>
/// <param name="Obstacle">Why nothing may be restored into a folder, as the end of a sentence; null: it may.</param>
public readonly record struct TargetItem(bool IsFolder, long LengthBytes, FileTime ModifiedAt, string? Obstacle = null);

/// <summary>A file that is being written. Disposed, it is closed.</summary>
public interface ITargetFile : IAsyncDisposable
{
    /// <summary>Writes bytes; what is between them and the end is zeros.</summary>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Closes it, and fails where what was written did not arrive.</summary>
    ValueTask CloseAsync(CancellationToken cancellationToken);
}
