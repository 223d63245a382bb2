using Strongroom.Store;

namespace Strongroom.Cli.Store;

/// <summary>Backs up a folder and all below it as one tree.</summary>
internal sealed class FolderBackup(VerbContext context, string path, TreeOptions options, string? itemName, string? parentText)
{
    private const int ShownProblems = 20;
    private readonly string item = itemName ?? path;

    public async Task<VerbResult> RunAsync(CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var vault = await context.OpenAsync(cancellationToken);
        var parent = ParentChoice.Find(vault, parentText, item, candidate => candidate.Trees.Count == 1);
        await using var session = await vault.OpenSessionAsync(cancellationToken);
        var result = await context.Console.TrackAsync(
            $"Backing up {path}",
            meter => session.WriteTreeAsync(path, parent?.Trees[0].Tree, options, meter.As<TreeProgress>(p => (p.Bytes, 0)), cancellationToken));
        var report = await BackupReport.CommitAsync(
            context,
            session,
            new()
            {
                Id = new(Guid.NewGuid()),
                ItemId = item,
                Images = [],
                Trees = [new(path, result.Tree)],
                Parent = parent?.Id,
            },
            "tree",
            result.Statistics.Bytes,
            started,
            cancellationToken);
        return Report(report, result);
    }

    /// <summary>What could not be read does not fail the backup, but must not go unnoticed.</summary>
    private static VerbResult Report(VerbResult report, TreeBackupResult result)
    {
        report.Json["folders"] = result.Statistics.Folders;
        report.Json["files"] = result.Statistics.Files;
        report.Json["filesUnchanged"] = result.Statistics.FilesUnchanged;
        report.Json["problemCount"] = result.ProblemCount;
        report.Json["problems"] = TreeProblems.Json(result.Problems);
        return report with
        {
            Lines =
            [
                .. report.Lines,
                $"  files    {result.Statistics.Files} in {Sizes.Count(result.Statistics.Folders, "folder")}, {result.Statistics.FilesUnchanged} as in the parent and not read",
                .. TreeProblems.Lines(result.Problems, result.ProblemCount, ShownProblems),
            ],
        };
    }
}
