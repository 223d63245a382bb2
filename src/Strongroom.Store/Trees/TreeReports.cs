namespace Strongroom.Store;

/// <summary>Something of a tree that could not be backed up or restored as it is.</summary>
public sealed record TreeProblem(TreePath Path, string What);

/// <summary>How far a backup or a restore of a tree is: things settled, and bytes of files.</summary>
public readonly record struct TreeProgress(long Entries, long Bytes);

/// <summary>What a backup of a folder found. All that is not a folder counts as a file.</summary>
/// <param name="Folders">Folders, the tree's own included.</param>
/// <param name="Files">Files, links and devices.</param>
/// <param name="FilesUnchanged">Of these, not read because the parent has them unchanged.</param>
/// <param name="Bytes">The files' lengths together, hard links counted each time.</param>
public sealed record TreeStatistics(long Folders, long Files, long FilesUnchanged, long Bytes);

/// <summary>A folder that was stored.</summary>
/// <param name="Tree">Its content, to be committed.</param>
/// <param name="Statistics">What was found.</param>
/// <param name="Problems">What could not be read, or not in one state; the first 10,000.</param>
/// <param name="ProblemCount">All of them.</param>
public sealed record TreeBackupResult(TreeRef Tree, TreeStatistics Statistics, IReadOnlyList<TreeProblem> Problems, long ProblemCount);

/// <summary>What a restore of a tree did.</summary>
/// <param name="Folders">Folders made or filled.</param>
/// <param name="Files">Files, links and devices made.</param>
/// <param name="Bytes">The files' lengths together.</param>
/// <param name="FilesSkipped">What stays away because something was there already.</param>
/// <param name="FilesFailed">What was not restored at all, folders that could not be made and selections that the tree does not have included.</param>
/// <param name="Problems">What could not be restored, or not with all its metadata, by its place below the target; the first 10,000.</param>
/// <param name="ProblemCount">All of them.</param>
public sealed record TreeRestoreResult(
    long Folders, long Files, long Bytes, long FilesSkipped, long FilesFailed, IReadOnlyList<TreeProblem> Problems, long ProblemCount);
