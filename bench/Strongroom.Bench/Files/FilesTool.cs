using Strongroom.Bench.Measuring;

namespace Strongroom.Bench.Files;

/// <summary>What is measured, in the order in which it is done.</summary>
internal enum FilesStep
{
    First,
    Unchanged,
    Changed,
    Restore,
    OneFile,
}

/// <summary>A backup program. One object for each round.</summary>
/// <param name="round">The round's own folder; everything that a tool writes lies below.</param>
/// <param name="source">The folder to back up.</param>
/// <param name="middleFile">The one to restore alone, as a path from there.</param>
internal abstract class FilesTool(string round, string source, string middleFile)
{
    protected string Round => round;

    protected string Source => source;

    protected string MiddleFile => middleFile;

    /// <summary>Where its repository lies.</summary>
    public abstract string RepositoryFolder { get; }

    /// <summary>The folder that <see cref="FilesStep.Restore"/> made.</summary>
    public abstract string RestoredFolder { get; }

    /// <summary>The file that <see cref="FilesStep.OneFile"/> made.</summary>
    public abstract string RestoredFile { get; }

    /// <summary>Makes an empty repository; not measured.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellationToken);

    public abstract Task<Usage> RunAsync(FilesStep step, CancellationToken cancellationToken);

    protected async Task<Outcome> CallAsync(string[] command, Dictionary<string, string> environment, string? folder, CancellationToken cancellationToken)
    {
        environment["TMPDIR"] = round;
        return await MeasuredProcess.RunAsync(new(command, folder ?? round, environment), cancellationToken);
    }
}
