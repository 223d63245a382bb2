using System.Collections.Immutable;
using Strongroom.Store;

namespace Strongroom.Backup.FileShares;

/// <summary>A share's files in a recovery point.</summary>
/// <param name="ResourceId">The share's ARM id as it was.</param>
/// <param name="Tree">The store's reference to the files, as text.</param>
/// <param name="Bytes">The files' lengths together.</param>
/// <param name="Files">How many there are: all that is not a folder.</param>
/// <param name="Folders">How many, the share's own included.</param>
/// <param name="IsOneMoment">True: all files are of the point's moment. False: they were read one after another.</param>
public sealed record SharePoint(string ResourceId, string Tree, long Bytes, long Files, long Folders, bool IsOneMoment)
{
    /// <summary>So many problems are kept by name.</summary>
    public const int MaxProblems = 100;

    private const int MaxProblemLength = 400;

    /// <summary>How many files and folders could not be backed up as they are.</summary>
    public long ProblemCount { get; init; }

    /// <summary>The first of them, each with what was wrong.</summary>
    public ImmutableArray<string> Problems { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>A problem as a part of a sentence, of a length that a hundred of them fit into a job.</summary>
    internal static string Text(TreeProblem problem)
    {
        var path = problem.Path.IsRoot ? "the share's own folder" : $"'{problem.Path}'";
        // It may name a path, too.
        var what = problem.What.TrimEnd('.');
        return (path.Length > MaxProblemLength ? string.Concat("'…", path.AsSpan(path.Length - MaxProblemLength)) : path)
            + ": " + (what.Length > MaxProblemLength ? string.Concat(what.AsSpan(0, MaxProblemLength), "…") : what);
    }
}
