namespace Strongroom.Store;

/// <summary>How a folder is backed up. Immutable.</summary>
public sealed record TreeOptions
{
    /// <summary>True: folders on which another file system is mounted are kept as empty folders.</summary>
    public bool StaysOnFileSystem { get; init; }

    /// <summary>
    /// What is left out, as patterns: <c>*</c> for any bytes of a name, <c>?</c> for one, <c>**</c> for any bytes, slashes included. With a slash before its end a
    /// pattern is matched with the path from the tree's folder, without one with each name. One that ends in a slash means folders only.
    /// What is below a folder that is left out is left out too.
    /// </summary>
    public IReadOnlyList<string> Excludes { get; init; } = [];

    /// <summary>The clock of the machine whose files these are; a file that changed less than 2 s ago is read again the next time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>What a restore does where something is already.</summary>
public enum ExistingFiles
{
    /// <summary>The target folder must be empty or absent; nothing is ever replaced.</summary>
    Refuse = 0,

    /// <summary>Files are replaced, each in one step, and folders filled and given the tree's metadata. What the tree does not have stays.</summary>
    Overwrite = 1,

    /// <summary>Files that are there stay, and count as skipped; folders are filled and keep their metadata.</summary>
    Skip = 2,

    /// <summary>
    /// When anything but a folder is there already, nothing is restored at all. What appears while files are restored stays, and the file in its place counts as
    /// failed. Folders are filled and keep their metadata.
    /// </summary>
    FailOnConflict = 3,

    /// <summary>Where something is already, the restored file gets a free name beside it: <c>report (1).txt</c>. Folders are filled and keep their metadata.</summary>
    CreateCopy = 4,
}

/// <summary>How a tree is restored. Immutable.</summary>
public sealed record TreeRestoreOptions
{
    /// <summary>What happens where something is already.</summary>
    public ExistingFiles Existing { get; init; }

    /// <summary>
    /// True: an earlier run of the same restore was cut off after it had begun to write. For <see cref="ExistingFiles.Skip"/>,
    /// <see cref="ExistingFiles.FailOnConflict"/> and <see cref="ExistingFiles.CreateCopy"/> what is there with an entry's kind, length and time of modification, or a
    /// link with its target, is that run's own, under the name of a copy too: it stays and counts as restored. Conflicts are not looked for before; what differs
    /// is treated as the rule says.
    /// </summary>
    public bool Resumes { get; init; }

    /// <summary>
    /// Names this restore through all its runs, of which no two may be at work at a time. Where a file system needs a name for what is not complete yet, a run finds by
    /// it what an earlier one has left.
    /// </summary>
    public Guid Id { get; init; } = Guid.NewGuid();

    /// <summary>Awaited once, when nothing stands against the restore and before anything is written into the target. What it throws ends the restore.</summary>
    public Func<Task>? Begins { get; init; }
}

/// <summary>A part of a tree that is restored.</summary>
/// <param name="Path">A file, a folder with all that is below it, or empty for the whole tree.</param>
/// <param name="Folder">The folder below the target that it is put into under its own name; the whole tree's content goes into the folder itself.</param>
public readonly record struct TreeSelection(TreePath Path, TreePath Folder);
