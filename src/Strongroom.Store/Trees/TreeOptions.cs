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

    /// <summary>Files are replaced, each in one step, and folders filled. What the tree does not have stays.</summary>
    Overwrite = 1,
}

/// <summary>How a tree is restored. Immutable.</summary>
public sealed record TreeRestoreOptions
{
    public ExistingFiles Existing { get; init; }
}
